"""Reading what people already hold: tables, arrays and folders, each checked as a whole before anything is done."""
