"""What a run tells: its metric log, TensorBoard, the terminal, tables and figures."""
