"""Drawings of networks: what is shown, where it stands, and how it is written as SVG, PNG or Mermaid."""
