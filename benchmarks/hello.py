"""The smallest command that click makes: nothing that is written with it starts sooner."""

import click


@click.command()
@click.argument("name")
def hello(name: str) -> None:
    """Greet somebody."""
    click.echo(f"hello {name}")


if __name__ == "__main__":
    hello()
