//! The network between the machines: how long a message takes, and whether it arrives.

use std::collections::BTreeSet;

use crate::dice::Dice;

/// What the network does to messages.
#[derive(Debug, Clone)]
pub struct Network {
    /// The shortest way, in milliseconds.
    pub shortest: u64,
    /// The longest way, in milliseconds. Ways of different length reorder.
    pub longest: u64,
    /// Messages lost, out of a hundred.
    pub loss: u64,
    /// Posts that arrive twice, out of a hundred.
    pub twice: u64,
    /// Pairs that do not reach each other.
    pub cut: BTreeSet<(usize, usize)>,
}

impl Network {
    /// A network that works.
    pub fn good() -> Self {
        Self { shortest: 5, longest: 60, loss: 0, twice: 0, cut: BTreeSet::new() }
    }

    /// How long one message takes; `None` if it does not arrive.
    pub fn way(&self, from: usize, to: usize, dice: &mut Dice) -> Option<u64> {
        let is_cut = self.cut.contains(&(from.min(to), from.max(to)));
        let is_lost = dice.percent(self.loss);
        let takes = dice.between(self.shortest, self.longest + 1);
        (!is_cut && !is_lost).then_some(takes)
    }

    /// Cuts the nodes of one side off from all others.
    pub fn split(&mut self, side: &[usize], nodes: usize) {
        for inside in side {
            for outside in (0..nodes).filter(|n| !side.contains(n)) {
                self.cut.insert(((*inside).min(outside), (*inside).max(outside)));
            }
        }
    }
}
