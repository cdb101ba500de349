/* SPDX-License-Identifier: Apache-2.0 */
/* What a server sends by itself, long after its client subscribed. */
#include "policy/ir/skeleton/chains.h"
#include "policy/ir/skeleton/writer.h"

/*
 * A client may subscribe for hours. Its server then sends a datagram whenever a value changes, also
 * when the session is over because both were silent. For the kernel this datagram opens another
 * session, from the server to the client, which no cell admits. If the cell of the reversed
 * direction belongs to a permit that allows subscriptions, the datagram is shown to a worker, as
 * one of the session's twin (twin.c). Only the worker knows who subscribed to what, and for how
 * long. The session gets no label. Where a conduit of the server's admits the session, its worker
 * sees the datagram first, and sends it here if only the client's conduit allows it.
 *
 * The cell is found by the server's port, or by the client's: where both use the protocol's port,
 * the server may send from another one. Keys of a packet with KEY_TWIN have its sender's port in
 * the place of its receiver's, and the reverse.
 */
#define TO_CLIENT ((enum ir_key)(KEY_PACKET_BACK | KEY_TWIN))
#define FROM_CLIENT ((enum ir_key)(KEY_PACKET | KEY_TWIN))

void put_notices(struct writer *w, enum ir_chain chain)
{
	put_lasting(w, chain, IR_TWIN, (const enum ir_key[]){ KEY_PACKET_BACK, KEY_PACKET_BACK }, true, CHAIN_PACE);
	put_lasting(w, chain, IR_TWIN, (const enum ir_key[]){ TO_CLIENT, TO_CLIENT }, true, CHAIN_PACE);
}

void put_noticed(struct writer *w, enum ir_chain chain, enum ir_stmt_kind lookup, enum ir_chain then)
{
	put_lasting(w, chain, lookup, (const enum ir_key[]){ TO_CLIENT, FROM_CLIENT }, false, then);
}
