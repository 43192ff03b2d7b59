"""The door to a metrics server that speaks Prometheus's HTTP API."""

from tsunami_cli.adapters.prometheus.asking import Prometheus
from tsunami_cli.adapters.prometheus.environment import prometheus

__all__ = ["Prometheus", "prometheus"]
