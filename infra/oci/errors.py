"""What goes wrong when a resource is given arguments that the provider does not take."""


class ResourceArgumentError(ValueError):
    """An argument does not fit the provider's schema; the message names the line that wrote it.

    ``problems`` holds one sentence per problem, each starting with the argument's path.
    """

    def __init__(self, resource: str, construct: str, caller: str, problems: list[str]) -> None:
        self.resource = resource
        self.construct = construct
        self.caller = caller
        self.problems = tuple(problems)
        head = f"{caller}: {resource} '{construct}': "
        super().__init__("\n".join(head + problem for problem in problems))
