//! The man page: one for the whole command.
//!
//! Not here: what the options mean, which `main.rs` says. Invariant: whatever `--help` of a command tells stands in the page,
//! and the page refers to no other.

use clap::Command;
use clap_mangen::Man;

use crate::problem::{Problem, Result};

/// The page, as `man` reads it.
pub(crate) fn page(mut root: Command) -> Result<Vec<u8>> {
    root.build();
    let mut page = Vec::new();
    let whole = Man::new(root.clone());
    let head = whole.render_title(&mut page).and_then(|()| whole.render_name_section(&mut page));
    head.and_then(|()| whole.render_synopsis_section(&mut page))
        .and_then(|()| whole.render_description_section(&mut page))
        .and_then(|()| whole.render_options_section(&mut page))
        .map_err(Problem::Output)?;
    page.extend(b".SH COMMANDS\n");
    for command in root.get_subcommands().filter(|command| command.get_name() != "help") {
        // What every command has was said above.
        let shared = |arg: &clap::Arg| arg.is_global_set() || arg.get_id() == "help";
        let command = command.clone().mut_args(|arg| {
            let hidden = shared(&arg);
            arg.hide(hidden)
        });
        page.extend(format!(".SS {}\n", command.get_name()).bytes());
        let man = Man::new(command);
        page.extend(body(|out| man.render_synopsis_section(out))?);
        page.extend(b".PP\n");
        page.extend(body(|out| man.render_description_section(out))?);
        page.extend(body(|out| man.render_options_section(out))?);
    }
    Ok(page)
}

/// A section without its heading.
fn body(render: impl FnOnce(&mut dyn std::io::Write) -> std::io::Result<()>) -> Result<Vec<u8>> {
    let mut section = Vec::new();
    render(&mut section).map_err(Problem::Output)?;
    let lines = section.split_inclusive(|byte| *byte == b'\n');
    Ok(lines.skip_while(|line| !line.starts_with(b".SH")).skip(1).flatten().copied().collect())
}
