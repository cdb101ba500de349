/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two ends of a session, as messages and records have them.
 */
#ifndef SEKISHO_WIRE_ENDS_H
#define SEKISHO_WIRE_ENDS_H

#include <stdint.h>
#include <string.h>

#include "appliance/base/addr.h"
#include "appliance/base/bytes.h"

#define ENDS_BYTES 38 /* of their form in messages */

struct ends {
	struct addr client, server; /* of one family */
	uint16_t client_port, server_port;
	uint8_t l4proto;
};

static inline void ends_put(struct outbuf *o, const struct ends *e)
{
	out_u8(o, e->client.family);
	out_bytes(o, e->client.b, sizeof(e->client.b));
	out_bytes(o, e->server.b, sizeof(e->server.b));
	out_be16(o, e->client_port);
	out_be16(o, e->server_port);
	out_u8(o, e->l4proto);
}

/* Reads two ends. An unknown address family makes `b` fail. */
static inline void ends_take(struct bytes *b, struct ends *ret)
{
	memset(ret, 0, sizeof(*ret));
	bytes_u8(b, &ret->client.family);
	bytes_copy(b, ret->client.b, sizeof(ret->client.b));
	bytes_copy(b, ret->server.b, sizeof(ret->server.b));
	bytes_be16(b, &ret->client_port);
	bytes_be16(b, &ret->server_port);
	bytes_u8(b, &ret->l4proto);
	ret->server.family = ret->client.family;
	b->failed |= ret->client.family != 4 && ret->client.family != 6;
}

#endif
