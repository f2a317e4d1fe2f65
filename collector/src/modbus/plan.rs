//! Registers become requests. Pure: the cheapest set of blocks that covers every register.

use steward_config::RegisterSpec;

/// The most registers that one request may ask for.
pub const REGISTERS_MAX: u32 = 125;
/// The most coils or discrete inputs that one request may ask for.
pub const BITS_MAX: u32 = 2_000;

/// One request and the registers that it answers.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// Function code 1 to 4.
    pub function: u8,
    /// First address.
    pub address: u16,
    /// Registers or bits.
    pub count: u16,
    /// What is read, in the order of addresses.
    pub specs: Vec<RegisterSpec>,
}

impl Block {
    /// The smallest block around `specs`, which are of one function and not empty.
    fn around(specs: &[RegisterSpec]) -> Option<Self> {
        let first = specs.first()?;
        let end = specs.iter().map(end).max()?;
        Some(Self {
            function: first.function,
            address: first.address,
            count: u16::try_from(end - u32::from(first.address)).ok()?,
            specs: specs.to_vec(),
        })
    }

    /// Where the words of `spec` begin in the answer.
    pub fn offset_of(&self, spec: &RegisterSpec) -> usize {
        usize::from(spec.address.saturating_sub(self.address))
    }

    /// Two smaller blocks, cut where the hole between registers is widest: a device that refuses a
    /// block often refuses only the hole. `None` for a block of one register.
    pub fn halves(&self) -> Option<(Self, Self)> {
        let cut = (1..self.specs.len()).max_by_key(|&at| {
            let hole = i64::from(self.specs[at].address)
                - self.specs[..at]
                    .iter()
                    .map(|s| i64::from(end(s)))
                    .max()
                    .unwrap_or(0);
            let balance = at.min(self.specs.len() - at);
            (hole, balance)
        })?;
        let (left, right) = self.specs.split_at(cut);
        Some((Self::around(left)?, Self::around(right)?))
    }
}

/// First address behind a register.
fn end(spec: &RegisterSpec) -> u32 {
    u32::from(spec.address) + u32::from(spec.kind.words())
}

fn is_bits(function: u8) -> bool {
    matches!(function, 1 | 2)
}

/// The cheapest blocks for `specs`: a request costs `request_cost` registers beside those it reads,
/// so a hole is read through when it is at most that wide. Registers that fit no address space are
/// left out; the check of the configuration refuses them before.
pub fn blocks(specs: &[RegisterSpec], request_cost: u16) -> Vec<Block> {
    let mut sorted: Vec<RegisterSpec> = specs
        .iter()
        .filter(|spec| end(spec) <= u32::from(u16::MAX) + 1)
        .cloned()
        .collect();
    sorted.sort_by_key(|spec| (spec.function, spec.address, end(spec)));
    sorted
        .chunk_by(|a, b| a.function == b.function)
        .flat_map(|group| {
            // Sixteen bits take the room of one register on the wire.
            let (cost, limit) = if is_bits(group[0].function) {
                (u64::from(request_cost) * 16, BITS_MAX)
            } else {
                (u64::from(request_cost), REGISTERS_MAX)
            };
            merged(group, cost, limit)
        })
        .collect()
}

/// The best cut of `group` (sorted by address) into neighbours. Cutting between neighbours is enough:
/// of two blocks of which none contains the other, one begins and ends before the other, so whatever
/// lies out of order fits into either.
fn merged(group: &[RegisterSpec], cost: u64, limit: u32) -> Vec<Block> {
    // best[n]: (cost, blocks, where the last block begins) for the first n registers.
    let mut best: Vec<(u64, usize, usize)> = vec![(0, 0, 0)];
    for last in 0..group.len() {
        let mut choice = (u64::MAX, usize::MAX, last);
        let mut reach = 0;
        for first in (0..=last).rev() {
            reach = reach.max(end(&group[first]));
            let length = reach - u32::from(group[first].address);
            if length > limit && first < last {
                // Earlier beginnings only make it longer.
                break;
            }
            let (before, count, _) = best[first];
            let candidate = (before + cost + u64::from(length), count + 1, first);
            if (candidate.0, candidate.1) < (choice.0, choice.1) {
                choice = candidate;
            }
        }
        best.push(choice);
    }
    let mut cuts = Vec::new();
    let mut upto = group.len();
    while upto > 0 {
        let first = best[upto].2;
        cuts.extend(Block::around(&group[first..upto]));
        upto = first;
    }
    cuts.reverse();
    cuts
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use proptest::prelude::*;
    use steward_config::{RegisterType, WordOrder};
    use steward_model::Quantity;

    use super::*;

    fn spec(function: u8, address: u16, kind: RegisterType) -> RegisterSpec {
        RegisterSpec {
            quantity: Quantity::Power,
            function,
            address,
            kind,
            order: WordOrder::Abcd,
            scale: 1.0,
            offset: 0.0,
            factor: 1.0,
        }
    }

    fn shape(specs: &[RegisterSpec], cost: u16) -> Vec<(u8, u16, u16)> {
        blocks(specs, cost)
            .iter()
            .map(|block| (block.function, block.address, block.count))
            .collect()
    }

    #[test]
    fn a_hole_is_read_when_cheaper_than_a_request() {
        let specs = [
            spec(4, 0, RegisterType::F32),
            spec(4, 12, RegisterType::F32),
        ];
        assert_eq!(shape(&specs, 10), [(4, 0, 14)]);
        assert_eq!(shape(&specs, 9), [(4, 0, 2), (4, 12, 2)]);
    }

    #[test]
    fn functions_never_mix_and_limits_hold() {
        let specs = [
            spec(3, 0, RegisterType::U16),
            spec(4, 1, RegisterType::U16),
            spec(3, 125, RegisterType::U16),
            spec(1, 0, RegisterType::Bit),
            spec(1, 1_999, RegisterType::Bit),
            spec(3, 65_535, RegisterType::U16),
            spec(3, 65_535, RegisterType::U32),
        ];
        assert_eq!(
            shape(&specs, 1_000),
            [
                (1, 0, 2_000),
                (3, 0, 1),
                (3, 125, 1),
                (3, 65_535, 1),
                (4, 1, 1)
            ]
        );
    }

    #[test]
    fn halves_cut_at_the_widest_hole() {
        let specs = [
            spec(3, 0, RegisterType::U16),
            spec(3, 1, RegisterType::U16),
            spec(3, 9, RegisterType::U32),
        ];
        let block = blocks(&specs, 100).remove(0);
        let (left, right) = block.halves().unwrap();
        assert_eq!((left.address, left.count), (0, 2));
        assert_eq!((right.address, right.count), (9, 2));
        assert!(right.halves().is_none());
    }

    fn cost_of(blocks: &[(u32, u32)], cost: u64) -> u64 {
        blocks
            .iter()
            .map(|(start, end)| cost + u64::from(end - start))
            .sum()
    }

    /// The cheapest of all set partitions, neighbours or not.
    fn brute(rest: &[RegisterSpec], blocks: &mut Vec<(u32, u32)>, cost: u64) -> u64 {
        let Some((spec, rest)) = rest.split_first() else {
            return cost_of(blocks, cost);
        };
        let (start, stop) = (u32::from(spec.address), end(spec));
        let mut least = u64::MAX;
        for index in 0..blocks.len() {
            let old = blocks[index];
            let new = (old.0.min(start), old.1.max(stop));
            if new.1 - new.0 <= REGISTERS_MAX {
                blocks[index] = new;
                least = least.min(brute(rest, blocks, cost));
                blocks[index] = old;
            }
        }
        blocks.push((start, stop));
        least = least.min(brute(rest, blocks, cost));
        blocks.pop();
        least
    }

    const SIZES: [RegisterType; 3] = [RegisterType::U16, RegisterType::U32, RegisterType::U64];

    fn any_specs(most: usize, addresses: u16) -> impl Strategy<Value = Vec<RegisterSpec>> {
        proptest::collection::vec((0..addresses, 0..3_usize), 1..most).prop_map(|list| {
            list.into_iter()
                .map(|(address, size)| spec(3, address, SIZES[size]))
                .collect()
        })
    }

    proptest! {
        #[test]
        fn minimal_against_brute_force(specs in any_specs(8, 300), cost in 0..60_u16) {
            let plan: Vec<(u32, u32)> = blocks(&specs, cost)
                .iter()
                .map(|b| (u32::from(b.address), u32::from(b.address) + u32::from(b.count)))
                .collect();
            let least = brute(&specs, &mut Vec::new(), u64::from(cost));
            prop_assert_eq!(cost_of(&plan, u64::from(cost)), least);
        }

        #[test]
        fn every_register_is_covered_once_and_limits_hold(
            specs in any_specs(80, u16::MAX), cost in 0..200_u16
        ) {
            let plan = blocks(&specs, cost);
            let mut covered = 0;
            for block in &plan {
                prop_assert!(block.count >= 1 && u32::from(block.count) <= REGISTERS_MAX);
                for spec in &block.specs {
                    prop_assert!(spec.address >= block.address);
                    let stop = block.offset_of(spec) + usize::from(spec.kind.words());
                    prop_assert!(stop <= usize::from(block.count));
                    covered += 1;
                }
            }
            let valid = specs.iter().filter(|s| end(s) <= u32::from(u16::MAX) + 1).count();
            prop_assert_eq!(covered, valid);
        }

        #[test]
        fn halving_ends_at_single_registers(specs in any_specs(12, 60)) {
            let mut open = blocks(&specs, 100);
            let mut single = 0;
            while let Some(block) = open.pop() {
                match block.halves() {
                    Some((left, right)) => open.extend([left, right]),
                    None => {
                        prop_assert_eq!(block.specs.len(), 1);
                        prop_assert_eq!(block.count, block.specs[0].kind.words());
                        single += 1;
                    }
                }
            }
            prop_assert_eq!(single, specs.len());
        }
    }
}
