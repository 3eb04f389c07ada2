//! What the program must stand, each test with processes, folders and ports of its own.

mod ceremony;
mod evidence;
mod exchange;
mod hostile;
mod interop;
mod outsider;
mod recovery;
mod servers;
