"""What is measured of Tessera, each as a program of its own."""
