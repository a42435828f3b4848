"""``python -m nqpf_spatial``: the commands of ``nqpf-spatial`` where scripts are not on the path."""

from nqpf_spatial.cli import app

if __name__ == "__main__":
    app(prog_name="nqpf-spatial")
