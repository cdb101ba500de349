/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sessions of MSG_IMPACT: those that stay, but under another permit. A fixed size each, so that a worker finds them by
 * their place and answers with it.
 */
#ifndef SEKISHO_WIRE_IMPACT_H
#define SEKISHO_WIRE_IMPACT_H

#include <string.h>

#include "appliance/base/addr.h"
#include "appliance/base/bytes.h"

#define IMPACT_BYTES 42u
#define IMPACT_SESSIONS 128u /* in one question: a worker answers between packets */

struct impact_session {
	struct addr client, server;
	uint16_t client_port, server_port;
	uint8_t l4proto;
	uint32_t permit; /* its number under the table in question */
};

static inline void impact_put(struct outbuf *o, const struct impact_session *s)
{
	out_u8(o, s->client.family);
	out_bytes(o, s->client.b, sizeof(s->client.b));
	out_bytes(o, s->server.b, sizeof(s->server.b));
	out_be16(o, s->client_port);
	out_be16(o, s->server_port);
	out_u8(o, s->l4proto);
	out_be32(o, s->permit);
}

/* False when there is none, or no such family. */
static inline bool impact_take(struct bytes *b, struct impact_session *ret)
{
	memset(ret, 0, sizeof(*ret));
	bytes_u8(b, &ret->client.family);
	bytes_copy(b, ret->client.b, sizeof(ret->client.b));
	bytes_copy(b, ret->server.b, sizeof(ret->server.b));
	bytes_be16(b, &ret->client_port);
	bytes_be16(b, &ret->server_port);
	bytes_u8(b, &ret->l4proto);
	bytes_be32(b, &ret->permit);
	ret->server.family = ret->client.family;
	return !b->failed && (ret->client.family == 4 || ret->client.family == 6);
}

#endif
