//! The program `concord`. Everything is in the library beside it.

fn main() -> std::process::ExitCode {
    node::cli::main()
}
