//! What a game saves of its players: nested structs, options, enums with and without data, small vectors.

use crate::random::Random;

/// How many players there are.
const COUNT: usize = 2_000;

/// One player. `S` is how text is held: `String`, or `&str` where it is borrowed.
#[derive(
    Debug,
    Clone,
    PartialEq,
    podwire::Codec,
    bitcode::Encode,
    bitcode::Decode,
    wincode::SchemaWrite,
    wincode::SchemaRead,
)]
pub(crate) struct Player<S> {
    uuid: [u8; 16],
    mode: Mode,
    previous_mode: Mode,
    score: i64,
    dimension: S,
    selected_slot: u32,
    selected: Option<Item<S>>,
    spawn: Option<[i64; 3]>,
    spawn_forced: Option<bool>,
    sleep_timer: u16,
    exhaustion: f32,
    saturation: f32,
    level: u32,
    progress: f32,
    experience: i32,
    seed: i32,
    inventory: Vec<Item<S>>,
    chest: Vec<Item<S>>,
    abilities: Abilities,
    left_shoulder: Option<Entity<S>>,
    right_shoulder: Option<Entity<S>>,
    vehicle: Option<Entity<S>>,
    recipes: Vec<S>,
    advancements: Vec<u32>,
    seen_credits: bool,
}

/// How the player plays.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    podwire::Codec,
    bitcode::Encode,
    bitcode::Decode,
    wincode::SchemaWrite,
    wincode::SchemaRead,
)]
enum Mode {
    Survival,
    Creative,
    Adventure,
    Spectator,
}

/// A stack of things.
#[derive(
    Debug,
    Clone,
    PartialEq,
    podwire::Codec,
    bitcode::Encode,
    bitcode::Decode,
    wincode::SchemaWrite,
    wincode::SchemaRead,
)]
struct Item<S> {
    count: i8,
    slot: u8,
    id: S,
    effect: Effect<S>,
}

/// What is special about a thing.
#[derive(
    Debug,
    Clone,
    PartialEq,
    podwire::Codec,
    bitcode::Encode,
    bitcode::Decode,
    wincode::SchemaWrite,
    wincode::SchemaRead,
)]
enum Effect<S> {
    Plain,
    Enchanted { level: u8, power: f32 },
    Named { name: S },
    Potion { kind: u16, seconds: u32, brewer: Option<[u8; 16]> },
}

/// What the player may do.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    podwire::Codec,
    bitcode::Encode,
    bitcode::Decode,
    wincode::SchemaWrite,
    wincode::SchemaRead,
)]
struct Abilities {
    walk_speed: f32,
    fly_speed: f32,
    may_fly: bool,
    flying: bool,
    invulnerable: bool,
    may_build: bool,
    instant_build: bool,
}

/// A creature.
#[derive(
    Debug,
    Clone,
    PartialEq,
    podwire::Codec,
    bitcode::Encode,
    bitcode::Decode,
    wincode::SchemaWrite,
    wincode::SchemaRead,
)]
struct Entity<S> {
    id: S,
    uuid: [u8; 16],
    position: [f64; 3],
    motion: [f64; 3],
    rotation: [f32; 2],
    fall_distance: f32,
    fire: u16,
    air: u16,
    on_ground: bool,
    no_gravity: bool,
    portal_cooldown: i32,
    name: Option<S>,
    health: Option<f32>,
    silent: bool,
    glowing: bool,
}

/// The players.
pub(crate) fn generate() -> Vec<Player<String>> {
    let mut random = Random::new(0x706c_6179);
    (0..COUNT).map(|_| player(&mut random)).collect()
}

fn player(random: &mut Random) -> Player<String> {
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

fn item(random: &mut Random) -> Item<String> {
    Item {
        count: random.below(64) as i8,
        slot: random.below(36) as u8,
        id: random.pick(&ITEMS).to_owned(),
        effect: effect(random),
    }
}

fn effect(random: &mut Random) -> Effect<String> {
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

fn entity(random: &mut Random) -> Entity<String> {
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
