"""README's "Your first farm", followed literally on three fresh test hosts."""
