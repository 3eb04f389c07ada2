//! The program `concord`. Everything is in the library beside it.

/// Memory that a peak took goes back to the machine; the allocator of glibc keeps it, in arenas for each of many threads.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> std::process::ExitCode {
    node::cli::main()
}
