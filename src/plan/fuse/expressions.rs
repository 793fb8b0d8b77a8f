//! Chains of element-by-element work become one program. A value is computed again by each program that reads it, if
//! programs alone do: that costs less than to store it and to read it.

use super::{Draft, Fuse, Operand};
use crate::kernels::{Expression, Kernel};

impl Fuse<'_> {
    pub(super) fn expressions(&mut self) {
        let is_program = |draft: &Draft| matches!(draft.kernel, Kernel::Expression(_));
        if !self.drafts.iter().flatten().any(is_program) {
            return;
        }
        let mut absorbed = Vec::new();
        for i in 0..self.drafts.len() {
            self.sum_into_program(i);
            while let Some((draft, value)) = self.longer_program(i) {
                self.drafts[i] = Some(draft);
                absorbed.push(value);
            }
        }
        for i in (0..self.drafts.len()).rev() {
            let is_read = |value| self.drafts.iter().flatten().any(|draft| draft.reads().any(|read| read == value));
            let is_left = |draft: &Draft| draft.writes().all(|value| absorbed.contains(&value) && !is_read(value));
            if self.at(i).is_some_and(is_left) {
                self.drafts[i] = None;
            }
        }
    }

    /// What joins the values of programs is one itself: the sum of two shares of a gradient.
    fn sum_into_program(&mut self, i: usize) {
        let Some(draft) = self.at(i) else { return };
        let of_program = |value| self.producer(value, i).and_then(|at| self.at(at));
        let is_program = |producer: &Draft| matches!(producer.kernel, Kernel::Expression(_));
        let joins = matches!(draft.kernel, Kernel::Elementwise(_) | Kernel::Scale(_))
            && draft.reads().filter_map(of_program).any(is_program);
        if joins
            && let Some(program) = Expression::of_kernel(&draft.kernel)
            && let Some(Some(draft)) = self.drafts.get_mut(i)
        {
            draft.kernel = Kernel::Expression(program);
        }
    }

    /// The program at `i` with one that makes an input of it as its beginning, and that input.
    fn longer_program(&self, i: usize) -> Option<(Draft, Operand)> {
        let Draft { kernel: Kernel::Expression(program), operands, name } = self.at(i)? else { return None };
        let (y, own) = operands.split_last()?;
        own.iter().enumerate().find_map(|(at, &value)| {
            let producer = self.at(self.producer(value, i)?)?;
            let is_constant = matches!(producer.kernel, Kernel::Fill(_));
            if !(is_constant || self.is_for_programs(value)) {
                return None;
            }
            let inner = Expression::of_kernel(&producer.kernel)?;
            let (_, others) = producer.operands.split_last()?;
            let (program, mut operands) = program.absorb(own, at, &inner, others)?;
            operands.push(*y);
            Some((Draft { kernel: Kernel::Expression(program), operands, name: name.clone() }, value))
        })
    }

    /// Whether programs alone read `value`.
    fn is_for_programs(&self, value: Operand) -> bool {
        let Operand::Value(id) = value else { return false };
        let mut readers = self.drafts.iter().flatten().filter(|draft| draft.reads().any(|read| read == value));
        !self.kept.contains(&id) && readers.all(|reader| matches!(reader.kernel, Kernel::Expression(_)))
    }
}
