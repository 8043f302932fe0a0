"""Net graphs: the shapes, the float module that is trained, the integer twin that is shipped."""
