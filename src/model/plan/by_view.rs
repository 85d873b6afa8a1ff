//! What a plan says to each view.

use std::ops::{Index, IndexMut};

/// Something for each view, by [`ViewId`](super::ViewId) as index. Mostly the plan says the same of all, and it stands once.
#[derive(Clone, Debug)]
pub struct ByView<T> {
    /// That of all, or one for each.
    different: Box<[T]>,
    views: usize,
}

impl<T> ByView<T> {
    /// How many views there are.
    pub fn len(&self) -> usize {
        self.views
    }

    /// True if there is no view.
    pub fn is_empty(&self) -> bool {
        self.views == 0
    }

    /// That of a view; `None` if there is no such view.
    pub fn get(&self, view: usize) -> Option<&T> {
        let at = if self.different.len() == 1 { 0 } else { view };
        self.different.get(at).filter(|_| view < self.views)
    }

    /// One for each view.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        (0..self.views).filter_map(|view| self.get(view))
    }
}

/// However it is kept.
impl<T: PartialEq> PartialEq for ByView<T> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl<T: Eq> Eq for ByView<T> {}

impl<T: PartialEq> From<Vec<T>> for ByView<T> {
    fn from(mut all: Vec<T>) -> Self {
        let views = all.len();
        if let Some((first, others)) = all.split_first()
            && others.iter().all(|other| other == first)
        {
            all.truncate(1);
        }
        Self { different: all.into(), views }
    }
}

impl<T: Clone> ByView<T> {
    /// One for each view, to be changed: they are different from then on.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.own().iter_mut()
    }

    fn own(&mut self) -> &mut [T] {
        if self.different.len() != self.views {
            self.different = self.iter().cloned().collect();
        }
        &mut self.different
    }
}

impl<T> Index<usize> for ByView<T> {
    type Output = T;

    fn index(&self, view: usize) -> &T {
        &self.different[if self.different.len() == 1 { 0 } else { view }]
    }
}

/// What is changed is of this view alone.
impl<T: Clone> IndexMut<usize> for ByView<T> {
    fn index_mut(&mut self, view: usize) -> &mut T {
        &mut self.own()[view]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_the_same_for_all_stands_once_until_it_is_changed() {
        let mut all: ByView<u8> = vec![7, 7, 7].into();
        assert_eq!((all.len(), all.different.len(), all[2], all.get(3)), (3, 1, 7, None));
        all[1] = 8;
        assert_eq!(all.iter().copied().collect::<Vec<_>>(), [7, 8, 7]);
        all[1] = 7;
        assert_eq!(all, vec![7, 7, 7].into());
        all[1] = 8;
        all.iter_mut().for_each(|one| *one += 1);
        assert_eq!(all, vec![8, 9, 8].into());
        let none: ByView<u8> = Vec::new().into();
        assert!(none.is_empty() && none.get(0).is_none() && none.iter().next().is_none());
    }
}
