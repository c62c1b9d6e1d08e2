//! What can be wrong with a command line.

use std::ffi::OsString;

use super::AddressError;
use crate::graph::instead;

/// A mistake in the arguments of an application, and what to write instead.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum CommandError {
    /// An option has no value.
    #[error("{option} needs a value: write {option} {value} or {option}={value}")]
    MissingValue {
        /// The option.
        option: String,
        /// What its value is called, as `HOST:PORT`.
        value: String,
    },
    /// A flag has a value.
    #[error("{option} takes no value, and {value:?} stands there; write {option}")]
    UnexpectedValue {
        /// The flag.
        option: String,
        /// What stands there.
        value: OsString,
    },
    /// An option is there more than once.
    #[error("{option} is there more than once; write it once")]
    Repeated {
        /// The option.
        option: String,
    },
    /// The value of an option is no UTF-8.
    #[error("the value of {option}, {value:?}, is no UTF-8 text")]
    NoText {
        /// The option.
        option: String,
        /// What stands there.
        value: OsString,
    },
    /// The value of an option is no address.
    #[error("{option}: {value:?} is no address: {reason}")]
    Address {
        /// The option.
        option: String,
        /// What stands there.
        value: String,
        /// What is wrong with it.
        reason: AddressError,
    },
    /// A name in the list of fragments is empty.
    #[error("--fragments: a name in {list:?} is empty; write --fragments a,b or --fragments all")]
    EmptyFragment {
        /// What stands there.
        list: String,
    },
    /// A fragment is in the list more than once.
    #[error("--fragments: {fragment:?} is named more than once")]
    FragmentTwice {
        /// Its name.
        fragment: String,
    },
    /// `all` is in a list with other names.
    #[error(
        "--fragments: \"all\" stands for every fragment, and {list:?} has others beside it; write one or the other"
    )]
    AllAndMore {
        /// What stands there.
        list: String,
    },
    /// The application has no such fragment.
    #[error("--fragments: there is no fragment {fragment:?}{}", instead(fragment, existing))]
    NoSuchFragment {
        /// The name.
        fragment: String,
        /// Which there are.
        existing: Vec<String>,
    },
    /// The value of `--graph` is no kind of picture.
    #[error(
        "--graph: {found:?} is no kind of picture; write --graph=mermaid or --graph=dot, or with a file, --graph=dot:FILE"
    )]
    Picture {
        /// What stands there.
        found: OsString,
    },
    /// The value of one of the application's own options is not what it should be.
    #[error("{option}: {value:?}: {reason}; without {option} it is {default}")]
    BadValue {
        /// The option.
        option: String,
        /// What stands there.
        value: String,
        /// What the type of the option says of it.
        reason: String,
        /// What holds without the option.
        default: String,
    },
    /// The application has no such option.
    #[error("there is no option {option}{}", instead(option, existing))]
    UnknownOption {
        /// What stands there, without a value.
        option: String,
        /// Which there are: the application's, then those of every application.
        existing: Vec<String>,
    },
    /// An argument is no option, and the application takes no others.
    #[error("{argument:?} is one argument too many")]
    UnexpectedArgument {
        /// What stands there.
        argument: OsString,
    },
    /// The application declares an option by a name that is none.
    #[error("{name:?} is no name of an option: write two dashes, letters, digits and dashes, as --count")]
    OptionName {
        /// What was declared.
        name: String,
    },
    /// The application declares an option twice.
    #[error("the option {name} is declared twice")]
    DeclaredTwice {
        /// Its name.
        name: String,
    },
}
