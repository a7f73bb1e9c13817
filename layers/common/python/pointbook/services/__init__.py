"""What the product does, one module or package for each capability."""
