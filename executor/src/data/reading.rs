//! A reading of a data set's files under way: what was read, and what was broken.

use scenarios::scenario::Files;

use super::codes::CodeError;
use super::idx::IdxError;
use super::needs::Needs;
use super::store::{Store, StoreError, Stored};

/// Why files cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// A file that must be there is not.
    #[error("there is no file `{path}`")]
    NoFile {
        /// Its path.
        path: String,
    },
    /// A file cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file is damaged or another one.
    #[error(transparent)]
    Idx(#[from] IdxError),
    /// A file as a whole has another form.
    #[error("`{path}`: {cause}")]
    Form {
        /// Its path.
        path: String,
        /// What is wrong.
        cause: String,
    },
    /// More records are broken than may be.
    #[error("{broken} of {records} records are broken, more than the {allowed} allowed; the first is {first}")]
    Broken {
        /// Broken records.
        broken: u64,
        /// All records.
        records: u64,
        /// Broken records that are allowed.
        allowed: u64,
        /// The first broken one.
        first: Flaw,
    },
    /// The network reads something else.
    #[error("the files hold {found}, but the network reads {expected}")]
    Kind {
        /// What records are.
        found: &'static str,
        /// What the network reads.
        expected: &'static str,
    },
    /// The network tells classes apart, and the files have none.
    #[error("the network tells classes apart, but `files` names no column with the class")]
    NoClasses,
    /// The network gives several numbers, and one is to be found.
    #[error("the network gives {outputs} numbers a record, but one is to be found")]
    Outputs {
        /// Numbers that it gives.
        outputs: usize,
    },
    /// There is more of something than the network knows.
    #[error("the data has {found} {what}, but the network knows {expected}")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// How many the data has.
        found: usize,
        /// How many the network knows.
        expected: usize,
    },
    /// Tokens cannot be made.
    #[error(transparent)]
    Codes(#[from] CodeError),
}

/// A broken record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// Its file.
    pub path: String,
    /// `line` or `record`.
    pub unit: &'static str,
    /// Which of them, from 1.
    pub number: usize,
    /// What is wrong.
    pub cause: String,
}

impl std::fmt::Display for Flaw {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} of `{}`: {}", self.unit, self.number, self.path, self.cause)
    }
}

/// A reading under way.
#[derive(Debug)]
pub struct Reading<'a> {
    /// Where the files lie.
    pub store: &'a Store,
    /// Which they are.
    pub files: &'a Files,
    /// What records have to be.
    pub needs: &'a Needs,
    /// SHA-256 of the files that were read, in their order.
    pub digests: Vec<String>,
    /// Records that were read, broken ones too.
    pub records: u64,
    /// Records that were skipped.
    pub broken: u64,
    first: Option<Flaw>,
}

/// Records for training or for the test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// For training.
    Train,
    /// For the test.
    Test,
}

impl Side {
    /// Both, in the order in which they are read.
    pub const BOTH: [Self; 2] = [Self::Train, Self::Test];

    /// Its name in paths.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Test => "test",
        }
    }
}

impl<'a> Reading<'a> {
    /// A reading that has not begun.
    pub const fn new(store: &'a Store, files: &'a Files, needs: &'a Needs) -> Self {
        Self { store, files, needs, digests: Vec::new(), records: 0, broken: 0, first: None }
    }

    /// Reads a file; none if it is not there.
    pub fn optional(&mut self, name: &str) -> Result<Option<Stored>, ReadError> {
        let stored = self.store.read(name)?;
        self.digests.extend(stored.iter().map(|stored| stored.digest.clone()));
        Ok(stored)
    }

    /// Reads a file that must be there.
    pub fn required(&mut self, name: &str) -> Result<Stored, ReadError> {
        let path = || self.store.path(name).display().to_string();
        let missing = ReadError::NoFile { path: path() };
        self.optional(name)?.ok_or(missing)
    }

    /// Names that the data set gives for a side.
    pub fn named(&self, side: Side) -> &'a [String] {
        match side {
            Side::Train => &self.files.train,
            Side::Test => &self.files.test,
        }
    }

    /// The files of a side: those that the data set names; else all of the usual names that are there, or only the
    /// first of them where they are alternatives. A side for training has at least one.
    pub fn side(&mut self, side: Side, usual: &[&str], alternatives: bool) -> Result<Vec<Stored>, ReadError> {
        let named = self.named(side);
        if !named.is_empty() {
            return named.iter().map(|name| self.required(name)).collect();
        }
        let mut found = Vec::new();
        for name in usual {
            found.extend(self.optional(name)?);
            if alternatives && !found.is_empty() {
                break;
            }
        }
        match (found.is_empty(), side, usual.first()) {
            (true, Side::Train, Some(first)) => {
                Err(ReadError::NoFile { path: self.store.path(first).display().to_string() })
            }
            _ => Ok(found),
        }
    }

    /// Counts a record that can be used.
    pub const fn good(&mut self) {
        self.records += 1;
    }

    /// Counts a record that is skipped.
    pub fn skip(&mut self, flaw: Flaw) {
        self.records += 1;
        self.broken += 1;
        self.first.get_or_insert(flaw);
    }

    /// Counts a line of a file, and gives what was read of it.
    pub fn line<T>(&mut self, stored: &Stored, number: usize, read: Result<T, String>) -> Option<T> {
        self.of(&stored.path.display().to_string(), "line", number, read)
    }

    /// Counts a record of a file, and gives what was read of it.
    pub fn record<T>(&mut self, stored: &Stored, number: usize, read: Result<T, String>) -> Option<T> {
        self.of(&stored.path.display().to_string(), "record", number, read)
    }

    /// Counts a line or record of the file with this path, and gives what was read of it.
    pub fn of<T>(&mut self, path: &str, unit: &'static str, number: usize, read: Result<T, String>) -> Option<T> {
        match read {
            Ok(value) => {
                self.good();
                Some(value)
            }
            Err(cause) => {
                self.skip(Flaw { path: path.to_owned(), unit, number, cause });
                None
            }
        }
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// More records were broken than the data set allows.
    pub fn end(&self) -> Result<(), ReadError> {
        let allowed = (self.files.max_broken * self.records as f64).ceil() as u64;
        match &self.first {
            Some(first) if self.broken > allowed => {
                Err(ReadError::Broken { broken: self.broken, records: self.records, allowed, first: first.clone() })
            }
            _ => Ok(()),
        }
    }

    /// The network reads something else than these files hold.
    pub const fn other_kind(&self, found: &'static str) -> ReadError {
        ReadError::Kind { found, expected: self.needs.words() }
    }
}

/// A file that has another form as a whole.
pub(super) fn form(stored: &Stored, cause: impl std::fmt::Display) -> ReadError {
    ReadError::Form { path: stored.path.display().to_string(), cause: cause.to_string() }
}

/// The text of a file.
pub(super) fn text(stored: &Stored) -> Result<&str, ReadError> {
    std::str::from_utf8(&stored.bytes).map_err(|error| {
        let line = stored.bytes[..error.valid_up_to()].split(|&byte| byte == b'\n').count();
        form(stored, format!("line {line} is no text in UTF-8"))
    })
}

/// A number, which is finite.
pub(super) fn number(text: &str) -> Result<f32, String> {
    match text.trim().parse::<f32>() {
        Ok(number) if number.is_finite() => Ok(number),
        _ => Err(format!("`{}` is no number", short(text))),
    }
}

/// The beginning of a text that is shown in messages.
pub(super) fn short(text: &str) -> String {
    const SHOWN: usize = 40;
    let text = text.trim();
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
