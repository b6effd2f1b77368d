// Package batch collects items into batches and hands each batch to one function: when it has enough items, enough
// bytes, or when its first item has waited long enough. A batch that fails is retried, and parted in the end to find
// the items that it fails for; nothing is dropped but what is counted and told.
//
// A [Batcher] has lanes. What one goroutine adds to one lane reaches the handler in that order, retries included,
// because a [Lane] has one batch in flight at a time; lanes do not wait for each other. While a batch is in flight its
// lane fills one more, and then Add blocks: that is the backpressure. With Config.DropOldest it drops the oldest items
// of that one instead.
//
// Always Accepted = Handled + DeadLettered + Rejected + Dropped + Abandoned + Pending, and after [Batcher.Close]
// nothing is pending.
//
// # Concurrency
//
// Every method of a Batcher and a Lane may be called at any time from any goroutine. The handler runs for several
// lanes at once, but never twice at once for one lane. An idle Batcher holds no goroutine and no buffers; an idle
// lane holds a few hundred bytes. From inside the handler, do not wait for the handler: Flush and Close would wait
// for their own caller until their context ends, and so may an Add to the handler's own lane.
package batch
