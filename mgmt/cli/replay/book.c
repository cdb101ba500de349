/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/replay/book.h"
#include "dpi/inspect/outside.h"

#include <stdlib.h>
#include <string.h>

static uint32_t mix(uint32_t h, uint32_t v)
{
	h ^= v * 0x9e3779b1u;
	h = (h << 13) | (h >> 19);
	return h * 5u + 0xe6546b64u;
}

static uint32_t mix_addr(uint32_t h, const struct addr *a)
{
	h = mix(h, a->family);
	for (size_t i = 0; i < sizeof(a->b); i++)
		h = mix(h, a->b[i]);
	return h;
}

static uint32_t flow_hash(const struct book_flow *f)
{
	uint32_t h = mix_addr(mix_addr(f->l4proto, &f->client), &f->server);

	return mix(mix(h, ((uint32_t)f->client_port << 16) | f->server_port), f->n);
}

static bool flow_equal(const struct book_flow *a, const struct book_flow *b)
{
	return a->n == b->n && a->l4proto == b->l4proto && a->client_port == b->client_port &&
	       a->server_port == b->server_port && addr_cmp(&a->client, &b->client) == 0 &&
	       addr_cmp(&a->server, &b->server) == 0;
}

static uint32_t command_hash(const struct book_command *c)
{
	uint32_t h = mix_addr(mix_addr(c->protocol, &c->client), &c->server);

	h = mix(h, ((uint32_t)c->l4proto << 16) | c->server_port);
	h = mix(h, c->function);
	for (unsigned i = 0; i < TARGET_MAX; i++)
		h = mix(h, c->targets[i]);
	h = mix(h, c->space | ((uint32_t)c->verdict << 8) | ((uint32_t)c->reason << 16) | ((uint32_t)c->dir << 12));
	return mix(mix(h, c->conduit), c->line);
}

static bool command_equal(const struct book_command *a, const struct book_command *b)
{
	return a->server_port == b->server_port && a->l4proto == b->l4proto && a->protocol == b->protocol &&
	       a->dir == b->dir && memcmp(a->targets, b->targets, sizeof(a->targets)) == 0 &&
	       a->function == b->function && a->space == b->space && a->verdict == b->verdict &&
	       a->reason == b->reason && a->conduit == b->conduit && a->line == b->line && a->file == b->file &&
	       addr_cmp(&a->client, &b->client) == 0 && addr_cmp(&a->server, &b->server) == 0;
}

/* Makes room for one more entry and its place in the index; *rehash: the index is new and empty. */
static bool make_room(void **items, uint32_t n, uint32_t *room, size_t size, uint32_t **index, uint32_t *slots,
		      bool *rehash)
{
	*rehash = false;
	if (n == *room) {
		uint32_t more = *room ? *room * 2 : 256;
		void *p = n < UINT32_MAX / 4 ? realloc(*items, more * size) : NULL;

		if (p == NULL)
			return false;
		*items = p;
		*room = more;
	}
	if (n >= *slots / 2) {
		uint32_t more = *slots ? *slots * 2 : 1024;
		uint32_t *p = calloc(more, sizeof(*p));

		if (p == NULL)
			return false;
		free(*index);
		*index = p;
		*slots = more;
		*rehash = true;
	}
	return true;
}

static uint32_t *flow_slot(struct book *b, const struct book_flow *key)
{
	uint32_t i = flow_hash(key) & (b->flow_slots - 1);

	while (b->flow_index[i] != 0 && !flow_equal(&b->flows[b->flow_index[i] - 1], key))
		i = (i + 1) & (b->flow_slots - 1);
	return &b->flow_index[i];
}

static uint32_t *command_slot(struct book *b, const struct book_command *key)
{
	uint32_t i = command_hash(key) & (b->command_slots - 1);

	while (b->command_index[i] != 0 && !command_equal(&b->commands[b->command_index[i] - 1], key))
		i = (i + 1) & (b->command_slots - 1);
	return &b->command_index[i];
}

void book_free(struct book *b)
{
	free(b->flows);
	free(b->commands);
	free(b->flow_index);
	free(b->command_index);
	memset(b, 0, sizeof(*b));
}

struct book_flow *book_flow(struct book *b, const struct addr *client, uint16_t client_port, const struct addr *server,
			    uint16_t server_port, uint8_t l4proto, uint32_t n)
{
	struct book_flow key = { .client = *client,
				 .server = *server,
				 .client_port = client_port,
				 .server_port = server_port,
				 .l4proto = l4proto,
				 .n = n };
	void *items = b->flows;
	bool rehash;
	uint32_t *slot;

	if (!make_room(&items, b->n_flows, &b->flows_room, sizeof(key), &b->flow_index, &b->flow_slots, &rehash)) {
		b->flows = items;
		b->failed = true;
		return NULL;
	}
	b->flows = items;
	for (uint32_t i = 0; rehash && i < b->n_flows; i++)
		*flow_slot(b, &b->flows[i]) = i + 1;
	slot = flow_slot(b, &key);
	if (*slot == 0) {
		b->flows[b->n_flows] = key;
		*slot = ++b->n_flows;
	}
	return &b->flows[*slot - 1];
}

/* Refused weighs more than observed, and observed more than allowed. */
static unsigned weight(enum event_verdict v)
{
	return v == EV_DENY ? 2 : v == EV_OBSERVE ? 1 : 0;
}

void book_judge(struct book_flow *f, enum event_verdict v, enum reason r, uint32_t frame)
{
	if (f->judged && (weight(v) < weight(f->verdict) || (v != EV_ALLOW && v == f->verdict)))
		return;
	f->judged = true;
	f->verdict = v;
	f->reason = r;
	f->frame = v == EV_ALLOW ? 0 : frame;
}

static struct book_command *command(struct book *b, const struct book_command *key)
{
	void *items = b->commands;
	bool rehash;
	uint32_t *slot;

	if (!make_room(&items, b->n_commands, &b->commands_room, sizeof(*key), &b->command_index, &b->command_slots,
		       &rehash)) {
		b->commands = items;
		b->failed = true;
		return NULL;
	}
	b->commands = items;
	for (uint32_t i = 0; rehash && i < b->n_commands; i++)
		*command_slot(b, &b->commands[i]) = i + 1;
	slot = command_slot(b, key);
	if (*slot == 0) {
		b->commands[b->n_commands] = *key;
		*slot = ++b->n_commands;
	}
	return &b->commands[*slot - 1];
}

static void count_command(struct book *b, const struct flow_info *f, const struct pdu *p, enum event_verdict v,
			  uint32_t frame)
{
	struct book_command key, *c;
	uint64_t last = p->address + (p->quantity > 0 ? p->quantity - 1 : 0);

	if (p->dir == DIR_S2C && v == EV_ALLOW)
		/* there are as many answers as requests; only refused ones are worth a line */
		return;
	memset(&key, 0, sizeof(key));
	key.client = f->client;
	key.server = f->server;
	key.server_port = f->server_port;
	key.l4proto = f->l4proto;
	key.protocol = f->protocol;
	key.dir = p->dir;
	memcpy(key.targets, p->targets, sizeof(key.targets));
	key.function = p->function;
	key.space = p->space;
	key.verdict = v;
	key.reason = p->reason;
	key.conduit = p->conduit;
	key.line = p->row.line != 0 ? p->row.line : p->line;
	key.file = p->row.line != 0 ? p->row.file : UINT32_MAX;
	key.lowest = p->address;
	key.highest = last;
	key.limit = p->limit;
	key.first_frame = frame;
	c = command(b, &key);
	if (c == NULL)
		return;
	c->count++;
	if (p->address < c->lowest)
		c->lowest = p->address;
	if (last > c->highest)
		c->highest = last;
}

void book_pdu(struct book *b, const struct flow_info *f, const struct pdu *p, enum event_verdict v, uint32_t frame)
{
	struct book_flow *flow = book_flow(b, &f->client, f->client_port, &f->server, f->server_port, f->l4proto, f->n);

	if (!p->reading) {
		b->pdus++;
		b->denied_pdus += v == EV_DENY;
		b->observed_pdus += v == EV_OBSERVE;
	}
	if (flow != NULL) {
		flow->pdus += !p->reading;
		flow->denied += !p->reading && v == EV_DENY;
		flow->observed += !p->reading && v == EV_OBSERVE;
		flow->permit = f->permit;
		flow->protocol = f->protocol;
	}
	count_command(b, f, p, v, frame);
}
