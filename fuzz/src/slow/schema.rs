//! Schemas: section 2 of the page.
//!
//! A type is a tree; `^N` stays in it as a number, and whoever walks it keeps the structs and enums that are open.

/// A type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// By its name.
    Scalar(&'static str),
    /// `text`
    Text,
    /// `[T]`
    Sequence(Box<Type>),
    /// `[T;N]`
    Array(Box<Type>, u64),
    /// `{K:V}`
    Map(Box<Type>, Box<Type>),
    /// `?T`
    Option(Box<Type>),
    /// `*T`
    Pointer(Box<Type>),
    /// `bulk[T]`
    Bulk(Box<Type>),
    /// `struct{..}`
    Struct(Vec<Field>),
    /// `enum8{..}`, by the bytes of its tag
    Enum(u64, Vec<(String, u64, Vec<Field>)>),
    /// `pod(N)`
    Pod(u64),
    /// `opaque`
    Opaque,
    /// `^N`
    Up(usize),
}

/// Name and type.
pub type Field = (String, Type);

/// The scalars, and how many bytes each has.
pub const SCALARS: [(&str, u64); 16] = [
    ("u8", 1),
    ("u16", 2),
    ("u32", 4),
    ("u64", 8),
    ("u128", 16),
    ("i8", 1),
    ("i16", 2),
    ("i32", 4),
    ("i64", 8),
    ("i128", 16),
    ("f16", 2),
    ("bf16", 2),
    ("f32", 4),
    ("f64", 8),
    ("bool", 1),
    ("char", 4),
];

/// Bytes of a scalar.
#[must_use]
pub fn width(name: &str) -> u64 {
    SCALARS.iter().find(|(known, _)| *known == name).map_or(0, |(_, width)| *width)
}

/// The hash of the text: 64-bit FNV-1a.
#[must_use]
pub fn fingerprint(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

/// The text of a schema that is open for reading, and how many structs and enums are open.
struct Text<'t> {
    left: &'t str,
    open: usize,
    level: usize,
    deepest: usize,
}

/// The type of a text, if it is one, and how many types stand within one another in it.
#[must_use]
pub fn parse(text: &str) -> Option<(Type, usize)> {
    let mut text = Text { left: text, open: 0, level: 0, deepest: 0 };
    let read = text.read()?;
    (text.left.is_empty() && !is_endless(&read, &mut Vec::new()) && heads_fit(&read))
        .then_some((read, text.deepest))
}

impl Text<'_> {
    fn eat(&mut self, what: &str) -> bool {
        let rest = self.left.strip_prefix(what);
        self.left = rest.unwrap_or(self.left);
        rest.is_some()
    }

    fn must(&mut self, what: &str) -> Option<()> {
        self.eat(what).then_some(())
    }

    fn read(&mut self) -> Option<Type> {
        self.level += 1;
        self.deepest = self.deepest.max(self.level);
        // The page allows 128 levels; a text of thousands is none in any way to count them, and would be deep here, too.
        if self.level > 1_000 {
            return None;
        }
        let read = self.kind();
        self.level -= 1;
        read
    }

    fn boxed(&mut self) -> Option<Box<Type>> {
        self.read().map(Box::new)
    }

    fn kind(&mut self) -> Option<Type> {
        if self.eat("bulk[") {
            let element = self.boxed()?;
            self.must("]")?;
            return Some(Type::Bulk(element));
        }
        if self.eat("[") {
            let element = self.boxed()?;
            let count = if self.eat(";") { Some(self.number()?) } else { None };
            self.must("]")?;
            return Some(match count {
                Some(count) => Type::Array(element, count),
                None => Type::Sequence(element),
            });
        }
        if self.eat("{") {
            let key = self.boxed()?;
            self.must(":")?;
            let value = self.boxed()?;
            self.must("}")?;
            return Some(Type::Map(key, value));
        }
        if self.eat("?") {
            return self.boxed().map(Type::Option);
        }
        if self.eat("*") {
            return self.boxed().map(Type::Pointer);
        }
        if self.eat("^") {
            let levels = usize::try_from(self.number()?).ok()?;
            return (levels < self.open).then_some(Type::Up(levels));
        }
        if self.eat("pod(") {
            let size = self.number()?;
            self.must(")")?;
            return Some(Type::Pod(size));
        }
        if self.eat("struct{") {
            self.open += 1;
            let fields = self.fields();
            self.open -= 1;
            return fields.map(Type::Struct);
        }
        for bytes in [1, 2, 4] {
            if self.eat(&format!("enum{}{{", 8 * bytes)) {
                self.open += 1;
                let variants = self.variants(bytes);
                self.open -= 1;
                return variants.map(|variants| Type::Enum(bytes, variants));
            }
        }
        let end = self.left.find(|letter: char| !letter.is_ascii_alphanumeric()).unwrap_or(self.left.len());
        let (word, rest) = self.left.split_at(end);
        self.left = rest;
        match word {
            "text" => Some(Type::Text),
            "opaque" => Some(Type::Opaque),
            word => SCALARS.iter().find(|(name, _)| *name == word).map(|(name, _)| Type::Scalar(name)),
        }
    }

    /// Behind the `{`, with the `}`.
    fn fields(&mut self) -> Option<Vec<Field>> {
        let mut fields = Vec::new();
        while !self.eat("}") {
            if !fields.is_empty() {
                self.must(",")?;
            }
            let name = self.name()?;
            self.must(":")?;
            fields.push((name, self.read()?));
        }
        Some(fields)
    }

    fn variants(&mut self, bytes: u64) -> Option<Vec<(String, u64, Vec<Field>)>> {
        let mut variants: Vec<(String, u64, Vec<Field>)> = Vec::new();
        while !self.eat("}") {
            if !variants.is_empty() {
                self.must(",")?;
            }
            let name = self.name()?;
            self.must("=")?;
            let tag = self.number()?;
            if tag >> (8 * bytes) != 0 || variants.iter().any(|(_, known, _)| *known == tag) {
                return None;
            }
            self.must("{")?;
            variants.push((name, tag, self.fields()?));
        }
        Some(variants)
    }

    fn number(&mut self) -> Option<u64> {
        let end = self.left.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(self.left.len());
        let (digits, rest) = self.left.split_at(end);
        self.left = rest;
        if digits.starts_with('0') && digits != "0" {
            return None;
        }
        digits.parse().ok()
    }

    fn name(&mut self) -> Option<String> {
        let stands_as_it_is =
            |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || !letter.is_ascii();
        if !self.eat("\"") {
            let end = self.left.find(|letter| !stands_as_it_is(letter)).unwrap_or(self.left.len());
            let (name, rest) = self.left.split_at(end);
            self.left = rest;
            return (!name.is_empty()).then(|| name.to_owned());
        }
        let mut name = String::new();
        loop {
            let mut letters = self.left.chars();
            let letter = letters.next()?;
            let escaped = if letter == '\\' { letters.next()? } else { letter };
            self.left = letters.as_str();
            match (letter, escaped) {
                ('"', _) => break,
                ('\\', '"' | '\\') => name.push(escaped),
                ('\\', _) => return None,
                _ => name.push(letter),
            }
        }
        // One text for a type: what can stand as it is does.
        let needs_quotes = name.is_empty() || !name.chars().all(stands_as_it_is);
        needs_quotes.then_some(name)
    }
}

/// Whether anything can follow the head of a type: then it is no element of a bulk.
#[must_use]
pub fn has_tail(of: &Type) -> bool {
    match of {
        Type::Scalar(_) | Type::Pod(_) => false,
        Type::Array(element, count) => *count > 0 && has_tail(element),
        Type::Struct(fields) => fields.iter().any(|(_, field)| has_tail(field)),
        Type::Enum(_, variants) => variants.iter().any(|(_, _, fields)| !fields.is_empty()),
        // What `^N` refers to is around the bulk, and has that in its tail.
        _ => true,
    }
}

/// Whether the head of this type, or of one in it, has no end: a struct that stands in its own head.
fn is_endless<'t>(of: &'t Type, open: &mut Vec<(&'t Type, bool)>) -> bool {
    // Each open struct or enum, and whether what is read now stands in its head.
    let beyond = |open: &[(&'t Type, bool)]| open.iter().map(|(of, _)| (*of, false)).collect::<Vec<_>>();
    match of {
        Type::Up(levels) => {
            let (target, in_head) = open[open.len() - 1 - levels];
            in_head && matches!(target, Type::Struct(_))
        }
        Type::Sequence(inner) | Type::Option(inner) | Type::Pointer(inner) | Type::Bulk(inner) => {
            is_endless(inner, &mut beyond(open))
        }
        Type::Map(key, value) => is_endless(key, &mut beyond(open)) || is_endless(value, &mut beyond(open)),
        Type::Array(inner, _) => is_endless(inner, open),
        Type::Struct(fields) => {
            open.push((of, true));
            let endless = fields.iter().any(|(_, field)| is_endless(field, open));
            open.pop();
            endless
        }
        Type::Enum(_, variants) => {
            // The fields of a variant are no part of the enum's head.
            let mut within = beyond(open);
            within.push((of, false));
            variants.iter().any(|(_, _, fields)| {
                // A variant is a complete struct: its fields stand in one head.
                fields.iter().any(|(_, field)| is_endless(field, &mut within))
            })
        }
        Type::Scalar(_) | Type::Text | Type::Pod(_) | Type::Opaque => false,
    }
}

/// Whether no head in this type is larger than half an address space.
fn heads_fit(of: &Type) -> bool {
    fn walk<'t>(of: &'t Type, open: &mut Vec<&'t Type>) -> bool {
        if head(of, open).is_none() {
            return false;
        }
        match of {
            Type::Sequence(inner)
            | Type::Option(inner)
            | Type::Pointer(inner)
            | Type::Bulk(inner)
            | Type::Array(inner, _) => walk(inner, open),
            Type::Map(key, value) => {
                let both = head(key, open).zip(head(value, open));
                both.is_some_and(|(key, value)| key + value <= MOST) && walk(key, open) && walk(value, open)
            }
            Type::Struct(fields) => {
                open.push(of);
                let fit = fields.iter().all(|(_, field)| walk(field, open));
                open.pop();
                fit
            }
            Type::Enum(_, variants) => {
                open.push(of);
                let fit = variants.iter().all(|(_, _, fields)| {
                    let sizes = fields.iter().map(|(_, field)| head(field, open));
                    let sum = sizes.sum::<Option<u128>>();
                    sum.is_some_and(|sum| sum <= MOST) && fields.iter().all(|(_, field)| walk(field, open))
                });
                open.pop();
                fit
            }
            _ => true,
        }
    }
    walk(of, &mut Vec::new())
}

/// The largest head: what an object of Rust can have.
const MOST: u128 = isize::MAX as u128;

/// Bytes of the head of a type within the open ones; nothing if they are too many.
pub fn head<'t>(of: &'t Type, open: &mut Vec<&'t Type>) -> Option<u128> {
    let size = match of {
        Type::Scalar(name) => width(name).into(),
        Type::Text | Type::Sequence(_) | Type::Map(..) => 4,
        Type::Option(_) => 1,
        Type::Pointer(_) | Type::Bulk(_) | Type::Opaque => 0,
        Type::Enum(bytes, _) => (*bytes).into(),
        Type::Pod(size) => (*size).into(),
        Type::Array(element, count) => head(element, open)?.checked_mul((*count).into())?,
        Type::Struct(fields) => {
            open.push(of);
            let sum = fields.iter().map(|(_, field)| head(field, open)).sum::<Option<u128>>();
            open.pop();
            sum?
        }
        Type::Up(levels) => {
            let place = open.len() - 1 - levels;
            let inner = open.split_off(place);
            let size = head(inner[0], open);
            open.extend(inner);
            size?
        }
    };
    (size <= MOST).then_some(size)
}
