//! Things by small numbers that are given again after a removal: looked up without hashing.

/// A table of things.
#[derive(Debug)]
pub(super) struct Table<T> {
    rows: Vec<Option<T>>,
    free: Vec<usize>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), free: Vec::new() }
    }
}

impl<T> Table<T> {
    /// Adds a thing; its number.
    pub(super) fn insert(&mut self, thing: T) -> usize {
        if let Some(at) = self.free.pop() {
            self.rows[at] = Some(thing);
            return at;
        }
        self.rows.push(Some(thing));
        self.rows.len() - 1
    }

    /// Takes a thing out.
    pub(super) fn remove(&mut self, at: usize) -> Option<T> {
        let thing = self.rows.get_mut(at)?.take();
        if thing.is_some() {
            self.free.push(at);
        }
        thing
    }

    /// A thing by its number.
    pub(super) fn get(&self, at: usize) -> Option<&T> {
        self.rows.get(at)?.as_ref()
    }

    /// A thing by its number, to change it.
    pub(super) fn get_mut(&mut self, at: usize) -> Option<&mut T> {
        self.rows.get_mut(at)?.as_mut()
    }

    /// All things with their numbers.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &T)> {
        self.rows.iter().enumerate().filter_map(|(at, row)| row.as_ref().map(|thing| (at, thing)))
    }

    /// All things with their numbers, to change them.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (usize, &mut T)> {
        self.rows.iter_mut().enumerate().filter_map(|(at, row)| row.as_mut().map(|thing| (at, thing)))
    }
}
