//! What the program must stand, each test with processes, folders and ports of its own.

mod accidents;
mod acts;
mod alarms;
mod bundle;
mod ceremony;
mod clock;
mod commands;
mod costly;
mod damage;
mod disk;
mod evidence;
mod exchange;
mod expiry;
mod heads;
mod hostile;
mod hostile_peers;
mod interop;
mod meetings;
mod missing;
mod outsider;
mod peers;
mod recovery;
mod removed;
mod servers;
mod stall;
mod strangers;
