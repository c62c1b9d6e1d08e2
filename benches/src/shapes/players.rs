//! What a game saves of its players: nested structs, options, enums with and without data, small vectors.

use owned::{Abilities, Effect, Entity, Item, Mode, Player};

use crate::random::Random;

/// How many players there are.
const COUNT: usize = 2_000;

/// The types, with text of a kind.
macro_rules! types {
    ($define:ident, $peers:tt, [$($text:tt)*], [$($life:tt)*]) => {
        crate::shapes::$define! {
            $peers
            /// One player.
            pub(crate) struct Player $($life)* {
                pub(crate) uuid: [u8; 16],
                pub(crate) mode: Mode,
                pub(crate) previous_mode: Mode,
                pub(crate) score: i64,
                pub(crate) dimension: $($text)*,
                pub(crate) selected_slot: u32,
                pub(crate) selected: Option<Item $($life)*>,
                pub(crate) spawn: Option<[i64; 3]>,
                pub(crate) spawn_forced: Option<bool>,
                pub(crate) sleep_timer: u16,
                pub(crate) exhaustion: f32,
                pub(crate) saturation: f32,
                pub(crate) level: u32,
                pub(crate) progress: f32,
                pub(crate) experience: i32,
                pub(crate) seed: i32,
                pub(crate) inventory: Vec<Item $($life)*>,
                pub(crate) chest: Vec<Item $($life)*>,
                pub(crate) abilities: Abilities,
                pub(crate) left_shoulder: Option<Entity $($life)*>,
                pub(crate) right_shoulder: Option<Entity $($life)*>,
                pub(crate) vehicle: Option<Entity $($life)*>,
                pub(crate) recipes: Vec<$($text)*>,
                pub(crate) advancements: Vec<u32>,
                pub(crate) seen_credits: bool,
            }

            /// How the player plays.
            #[derive(Copy)]
            pub(crate) enum Mode {
                Survival,
                Creative,
                Adventure,
                Spectator,
            }

            /// A stack of things.
            pub(crate) struct Item $($life)* {
                pub(crate) count: i8,
                pub(crate) slot: u8,
                pub(crate) id: $($text)*,
                pub(crate) effect: Effect $($life)*,
            }

            /// What is special about a thing.
            pub(crate) enum Effect $($life)* {
                Plain,
                Enchanted { level: u8, power: f32 },
                Named { name: $($text)* },
                Potion { kind: u16, seconds: u32, brewer: Option<[u8; 16]> },
            }

            /// What the player may do.
            #[derive(Copy)]
            pub(crate) struct Abilities {
                pub(crate) walk_speed: f32,
                pub(crate) fly_speed: f32,
                pub(crate) may_fly: bool,
                pub(crate) flying: bool,
                pub(crate) invulnerable: bool,
                pub(crate) may_build: bool,
                pub(crate) instant_build: bool,
            }

            /// A creature.
            pub(crate) struct Entity $($life)* {
                pub(crate) id: $($text)*,
                pub(crate) uuid: [u8; 16],
                pub(crate) position: [f64; 3],
                pub(crate) motion: [f64; 3],
                pub(crate) rotation: [f32; 2],
                pub(crate) fall_distance: f32,
                pub(crate) fire: u16,
                pub(crate) air: u16,
                pub(crate) on_ground: bool,
                pub(crate) no_gravity: bool,
                pub(crate) portal_cooldown: i32,
                pub(crate) name: Option<$($text)*>,
                pub(crate) health: Option<f32>,
                pub(crate) silent: bool,
                pub(crate) glowing: bool,
            }
        }
    };
}

pub(crate) mod owned {
    //! With text of its own.
    types!(
        owned,
        [derive(bitcode::Decode, bitcode::Encode, wincode::SchemaRead, wincode::SchemaWrite)],
        [String],
        []
    );
}

pub(crate) mod borrowed {
    //! With text that lies in what was read.
    types!(borrowed, [derive(bitcode::Decode, bitcode::Encode, wincode::SchemaRead, wincode::SchemaWrite)], [&'a str], [<'a>]);
}

/// The players.
pub(crate) fn generate() -> Vec<Player> {
    let mut random = Random::new(0x706c_6179);
    (0..COUNT).map(|_| player(&mut random)).collect()
}

fn player(random: &mut Random) -> Player {
    Player {
        uuid: random.uuid(),
        mode: mode(random),
        previous_mode: mode(random),
        score: random.bits() as i64,
        dimension: random.pick(&["overworld", "nether", "end"]).to_owned(),
        selected_slot: random.below(9) as u32,
        selected: random.maybe(70, item),
        spawn: random.maybe(50, |random| [(); 3].map(|()| random.bits() as i64)),
        spawn_forced: random.maybe(30, Random::flip),
        sleep_timer: random.bits() as u16,
        exhaustion: random.unit(),
        saturation: random.unit(),
        level: random.bits() as u32,
        progress: random.unit(),
        experience: random.bits() as i32,
        seed: random.bits() as i32,
        inventory: random.several(16, item),
        chest: random.several(8, item),
        abilities: Abilities {
            walk_speed: random.unit(),
            fly_speed: random.unit(),
            may_fly: random.flip(),
            flying: random.flip(),
            invulnerable: random.flip(),
            may_build: random.flip(),
            instant_build: random.flip(),
        },
        left_shoulder: random.maybe(20, entity),
        right_shoulder: random.maybe(20, entity),
        vehicle: random.maybe(15, entity),
        recipes: random.several(10, |random| random.pick(&RECIPES).to_owned()),
        advancements: random.several(12, |random| random.bits() as u32),
        seen_credits: random.flip(),
    }
}

fn mode(random: &mut Random) -> Mode {
    random.pick(&[Mode::Survival, Mode::Creative, Mode::Adventure, Mode::Spectator])
}

fn item(random: &mut Random) -> Item {
    Item {
        count: random.below(64) as i8,
        slot: random.below(36) as u8,
        id: random.pick(&ITEMS).to_owned(),
        effect: effect(random),
    }
}

fn effect(random: &mut Random) -> Effect {
    match random.below(10) {
        0..5 => Effect::Plain,
        5..7 => Effect::Enchanted { level: random.below(6) as u8, power: random.unit() },
        7 => Effect::Named { name: format!("the {} of doom", random.pick(&ITEMS)) },
        _ => Effect::Potion {
            kind: random.below(50) as u16,
            seconds: random.below(900) as u32,
            brewer: random.maybe(50, Random::uuid),
        },
    }
}

fn entity(random: &mut Random) -> Entity {
    let name = |random: &mut Random| {
        format!("{} the {}", random.pick(&NAMES), random.pick(&["great", "small", "unlucky"]))
    };
    Entity {
        id: random.pick(&CREATURES).to_owned(),
        uuid: random.uuid(),
        position: [(); 3].map(|()| random.unit().into()),
        motion: [(); 3].map(|()| random.unit().into()),
        rotation: [(); 2].map(|()| random.unit()),
        fall_distance: random.unit(),
        fire: random.bits() as u16,
        air: random.bits() as u16,
        on_ground: random.flip(),
        no_gravity: random.flip(),
        portal_cooldown: random.bits() as i32,
        name: random.maybe(30, name),
        health: random.maybe(60, Random::unit),
        silent: random.flip(),
        glowing: random.flip(),
    }
}

const ITEMS: [&str; 10] = [
    "dirt",
    "stone",
    "pickaxe",
    "sand",
    "gravel",
    "shovel",
    "chestplate",
    "steak",
    "redstone_torch",
    "enchanted_golden_apple",
];
const CREATURES: [&str; 8] = ["cow", "sheep", "zombie", "skeleton", "spider", "creeper", "parrot", "bee"];
const NAMES: [&str; 8] = ["rainbow", "princess", "steve", "johnny", "missy", "coward", "fairy", "howard"];
const RECIPES: [&str; 8] =
    ["pickaxe", "torch", "bow", "crafting table", "furnace", "shears", "arrow", "pile of tnt"];
