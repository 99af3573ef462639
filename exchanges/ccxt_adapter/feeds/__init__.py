"""What the sockets of each venue tell: one module a venue, decoded straight from the wire."""
