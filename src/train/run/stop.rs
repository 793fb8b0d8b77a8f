//! Ending a run from outside: a flag that any thread raises, and Ctrl-C.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A flag that ends the runs that were given it with [`Fit::stop_flag`](crate::train::Fit::stop_flag). Clones are the same
/// flag. Once raised it stays so, until [`lower`](Self::lower).
///
/// ```
/// use axone::train::StopFlag;
///
/// let flag = StopFlag::new();
/// let button = flag.clone();
/// std::thread::spawn(move || button.raise()).join().unwrap();
/// assert!(flag.is_raised());
/// ```
#[derive(Debug, Clone, Default)]
pub struct StopFlag(Arc<AtomicBool>);

impl StopFlag {
    /// A flag that is not raised.
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends the runs that have this flag.
    pub fn raise(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Lets runs begin again.
    pub fn lower(&self) {
        self.0.store(false, Ordering::SeqCst);
    }

    /// Whether it is raised.
    pub fn is_raised(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// The same flag, not one in the same state.
impl PartialEq for StopFlag {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// What a run is told to listen to.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::train) struct Stops {
    flags: Vec<StopFlag>,
    #[cfg(feature = "ctrl-c")]
    ctrl_c: bool,
}

impl Stops {
    pub fn flag(&mut self, flag: &StopFlag) {
        self.flags.push(flag.clone());
    }

    #[cfg(feature = "ctrl-c")]
    pub fn ctrl_c(&mut self) {
        self.ctrl_c = true;
    }

    /// Listens from here on; and why not to Ctrl-C, where that cannot be.
    pub fn listen(&self) -> (Outside, Option<String>) {
        #[cfg_attr(not(feature = "ctrl-c"), allow(unused_mut, reason = "only Ctrl-C is added"))]
        let mut outside = Outside::of(self.flags.clone());
        #[cfg(feature = "ctrl-c")]
        if self.ctrl_c {
            match CtrlC::listen() {
                Ok(listener) => {
                    outside.flags.push(listener.0.clone());
                    outside.ctrl_c = Some(listener);
                }
                Err(error) => return (outside, Some(error)),
            }
        }
        (outside, None)
    }
}

/// What may end a run from outside, as long as this lives.
#[derive(Debug)]
pub(in crate::train) struct Outside {
    flags: Vec<StopFlag>,
    #[cfg(feature = "ctrl-c")]
    ctrl_c: Option<CtrlC>,
}

impl Outside {
    fn of(flags: Vec<StopFlag>) -> Self {
        Self {
            flags,
            #[cfg(feature = "ctrl-c")]
            ctrl_c: None,
        }
    }

    /// Whether the run is to end.
    pub fn stops(&self) -> bool {
        self.flags.iter().any(StopFlag::is_raised)
    }
}

#[cfg(feature = "ctrl-c")]
pub(crate) use ctrl_c::CtrlC;

#[cfg(feature = "ctrl-c")]
mod ctrl_c {
    use crate::train::StopFlag;
    use std::sync::{Mutex, MutexGuard, PoisonError};

    /// What a shell reports for a program that Ctrl-C ended: 128 + SIGINT.
    const STATUS: i32 = 130;

    /// The runs that listen, and whether the handler is installed: it can be installed once a process.
    struct Listeners {
        installed: bool,
        flags: Vec<StopFlag>,
    }

    static LISTENERS: Mutex<Listeners> = Mutex::new(Listeners { installed: false, flags: Vec::new() });

    fn listeners() -> MutexGuard<'static, Listeners> {
        LISTENERS.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs on a thread of its own, so it may lock.
    fn pressed() {
        let listeners = listeners();
        if listeners.flags.iter().all(StopFlag::is_raised) {
            std::process::exit(STATUS);
        }
        listeners.flags.iter().for_each(StopFlag::raise);
    }

    /// A run listens as long as this lives.
    #[derive(Debug)]
    pub(crate) struct CtrlC(pub StopFlag);

    impl CtrlC {
        /// Or why it cannot: a signal that is ignored stays so, and a handler that is there stays in place.
        pub fn listen() -> Result<Self, String> {
            Self::raising(StopFlag::new())
        }

        /// Raises a flag that is there already.
        pub fn raising(flag: StopFlag) -> Result<Self, String> {
            let mut listeners = listeners();
            if !listeners.installed {
                let why = "SIGINT is ignored, as under nohup and in the background, or has a handler";
                let failed = |error| format!("stop_on_ctrl_c has no effect: {why} ({error})");
                ctrlc::try_set_handler(pressed).map_err(failed)?;
                listeners.installed = true;
            }
            listeners.flags.push(flag.clone());
            Ok(Self(flag))
        }
    }

    impl Drop for CtrlC {
        fn drop(&mut self) {
            listeners().flags.retain(|flag| *flag != self.0);
        }
    }
}
