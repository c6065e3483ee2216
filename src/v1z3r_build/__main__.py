"""`python -m v1z3r_build`."""

from v1z3r_build.cli import main

if __name__ == "__main__":
    main(prog_name="v1z3r-build")
