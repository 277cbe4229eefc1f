package redis

import (
	"context"
	"fmt"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

// replicaTimeout is how long a change waits for replicas. It is less than a
// connection waits for an answer.
const replicaTimeout = time.Second

// doAndWait is do, and waits until enough replicas have what the command changed:
// a replica that takes over has it then. Both go over one connection, since Redis
// waits for what was written by the connection that asks.
func (db *DB) doAndWait(ctx context.Context, command []any) (any, error) {
	key, _ := command[3].(string) // a script has keys
	return db.send(ctx, command, func(ctx context.Context, sent once) error {
		switch client := db.client.(type) {
		case *goredis.ClusterClient:
			server, err := client.MasterForKey(ctx, key)
			if err != nil {
				return err
			}
			return db.processAndWait(ctx, server, sent) // one that was moved did not run; the next call will
		case *goredis.Client:
			return db.processAndWait(ctx, client, sent)
		default:
			return fmt.Errorf("unexpected client %T", client)
		}
	})
}

func (db *DB) processAndWait(ctx context.Context, server *goredis.Client, sent once) error {
	waited := goredis.NewIntCmd(ctx, "wait", db.replicas, replicaTimeout.Milliseconds())
	pipe := server.Pipeline()
	if err := pipe.BatchProcess(ctx, sent, waited); err != nil {
		return err
	}
	_, _ = pipe.Exec(ctx) // the first error of the two
	if err := sent.Err(); err != nil {
		return err
	}
	have, err := waited.Result()
	if err == nil && have < int64(db.replicas) {
		err = fmt.Errorf("%d of %d replicas have the change", have, db.replicas)
	}
	return err
}
