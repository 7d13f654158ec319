"""The only SQL: tables, migrations, views, functions, the recorder and the embedded servers."""
