"""PromQL that follows the variables of a dashboard."""

_JOB = 'job=~"$job"'
_FOLLOWED = f'{_JOB},groups=~"$group",instance=~"$instance"'


def of(metric: str, *matchers: str) -> str:
    """A selector of the hosts that the variables select; `matchers` as in PromQL."""
    return f"{metric}{{{','.join([_FOLLOWED, *matchers])}}}"


def total(metric: str, *matchers: str) -> str:
    """Its sum over the selected hosts."""
    return f"sum({of(metric, *matchers)})"


def most(metric: str, *matchers: str) -> str:
    """The highest of the selected hosts."""
    return f"max({of(metric, *matchers)})"


def least(metric: str, *matchers: str) -> str:
    """The lowest of the selected hosts."""
    return f"min({of(metric, *matchers)})"


def everywhere(metric: str, *matchers: str) -> str:
    """A selector of all hosts: for the farm as a whole, or for the monitoring itself."""
    return f"{metric}{{{','.join([_JOB, *matchers])}}}"


def highest(count: int, record: str) -> str:
    """The hosts that were highest over the time range: topk alone would vary at each step."""
    chosen = of(record)
    return f"{chosen} and on (instance) topk({count}, avg_over_time({chosen}[$__range] @ end()))"
