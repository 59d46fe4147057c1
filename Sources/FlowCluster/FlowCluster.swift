// The room of the ClickHouse cluster.
