//! What a program adds to a training run: called between its epochs, with all that the run knows.

use super::Run;
use crate::{Error, Result};
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

/// Called while a model is trained: a setting of [`Fit::callback`](crate::train::Fit::callback). Every method has a default
/// that does nothing.
///
/// An error ends the run and is what [`Model::fit`](crate::model::Model::fit) returns.
///
/// ```
/// use axone::prelude::*;
/// use axone::train::{Callback, Run};
///
/// /// Ends training at a loss that is small enough.
/// struct GoodEnough(f64);
///
/// impl Callback for GoodEnough {
///     fn epoch_end(&mut self, run: &mut Run<'_>) -> Result<()> {
///         if run.value("good_enough", "loss")? < self.0 {
///             run.stop("good enough");
///         }
///         Ok(())
///     }
/// }
///
/// let mut model = Sequential::new(1).add(Dense::new(1)).compile(Device::cpu(), Loss::MeanSquaredError, Adam::new(0.1))?;
/// let data = Dataset::new([[0.0], [1.0], [2.0]], [[1.0], [3.0], [5.0]])?;
/// let history = model.fit(&data, &Fit::new().epochs(1000).callback(GoodEnough(0.01)).silent())?;
/// assert!(history.epochs.len() < 1000);
/// assert_eq!(history.stopped.as_deref(), Some("good enough"));
/// # Ok::<(), axone::Error>(())
/// ```
pub trait Callback: Send {
    /// Its name in messages and checkpoints. Default: that of its type.
    fn name(&self) -> String {
        let path = std::any::type_name::<Self>().split('<').next().unwrap_or_default();
        path.rsplit("::").next().unwrap_or_default().to_owned()
    }

    /// Before the first epoch. In a run that is resumed, [`Run::history`] has the epochs before. A callback that keeps
    /// counters starts them anew here: the same settings may serve several runs, one after the other.
    fn begin(&mut self, _run: &mut Run<'_>) -> Result<()> {
        Ok(())
    }

    /// Before each epoch.
    fn epoch_begin(&mut self, _run: &mut Run<'_>) -> Result<()> {
        Ok(())
    }

    /// After each epoch: its numbers are the last of [`Run::history`].
    fn epoch_end(&mut self, _run: &mut Run<'_>) -> Result<()> {
        Ok(())
    }

    /// Whether a run that this callback has ended, and that is resumed, stays ended: asked after [`begin`](Self::begin)
    /// has counted the epochs before. Default: yes.
    fn still_ends(&mut self, _run: &mut Run<'_>) -> Result<bool> {
        Ok(true)
    }

    /// After the last epoch, however the run ended, but for an error.
    fn end(&mut self, _run: &mut Run<'_>) -> Result<()> {
        Ok(())
    }

    /// The file that it writes in a run, from [`begin`](Self::begin) on: no other callback and no checkpoint of the run
    /// may write it, nor may the run be resumed from it. Default: none.
    fn file(&self) -> Option<PathBuf> {
        None
    }

    /// What a checkpoint has to keep because the history does not tell it. Counters that follow from the history are
    /// better computed from it in [`begin`](Self::begin). Default: nothing.
    fn state(&self) -> Option<CallbackState> {
        None
    }

    /// Takes up again what [`state`](Self::state) gave: after [`begin`](Self::begin), in a run that is resumed.
    fn restore(&mut self, _state: CallbackState) -> Result<()> {
        Ok(())
    }
}

/// What a callback keeps in a checkpoint.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CallbackState {
    /// Text, in any form.
    pub text: String,
    /// Numbers, kept bit for bit.
    pub numbers: Vec<f32>,
}

impl<T: Callback + ?Sized> Callback for Arc<Mutex<T>> {
    fn name(&self) -> String {
        lock(self).name()
    }

    fn begin(&mut self, run: &mut Run<'_>) -> Result<()> {
        lock(self).begin(run)
    }

    fn epoch_begin(&mut self, run: &mut Run<'_>) -> Result<()> {
        lock(self).epoch_begin(run)
    }

    fn epoch_end(&mut self, run: &mut Run<'_>) -> Result<()> {
        lock(self).epoch_end(run)
    }

    fn still_ends(&mut self, run: &mut Run<'_>) -> Result<bool> {
        lock(self).still_ends(run)
    }

    fn end(&mut self, run: &mut Run<'_>) -> Result<()> {
        lock(self).end(run)
    }

    fn file(&self) -> Option<PathBuf> {
        lock(self).file()
    }

    fn state(&self) -> Option<CallbackState> {
        lock(self).state()
    }

    fn restore(&mut self, state: CallbackState) -> Result<()> {
        lock(self).restore(state)
    }
}

/// A panic in another run has left the callback as it was: usable, and `begin` starts it anew.
fn lock<T: ?Sized>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Who is called in a run.
pub(in crate::train) struct Callbacks<'a> {
    /// Takes up an earlier run.
    pub resume: Option<Box<dyn Callback>>,
    /// The program's own; none are here while they are called.
    pub own: Vec<MutexGuard<'a, dyn Callback + 'static>>,
    pub checkpoints: Vec<Box<dyn Callback>>,
}

/// A callback as the settings keep it: shared by their clones, taken by one run at a time.
#[derive(Clone)]
pub(in crate::train) struct Shared(Arc<Mutex<dyn Callback>>);

impl Shared {
    pub fn new(callback: impl Callback + 'static) -> Self {
        Self(Arc::new(Mutex::new(callback)))
    }

    /// Takes the callback for a run.
    pub fn take(&self) -> Result<MutexGuard<'_, dyn Callback + 'static>> {
        match self.0.try_lock() {
            Ok(callback) => Ok(callback),
            Err(TryLockError::Poisoned(poisoned)) => Ok(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => {
                Err(Error::value("fit", "callback", "free", "one that another run is using at the same time"))
            }
        }
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.take().map_or_else(|_| "callback in use".to_owned(), |callback| callback.name()))
    }
}

impl PartialEq for Shared {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}
