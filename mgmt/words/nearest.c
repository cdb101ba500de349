/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Only conduits from the client's zone to the server's are considered. A cell can match a packet in
 * three things: client, server and service. The nearest conduit is the one with the most matches;
 * of several such conduits, the first in the policy's text.
 */
#include "mgmt/words/nearest.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/base/addr.h"
#include "mgmt/words/event.h"

enum {
	SOURCE = 1,
	DESTINATION = 2,
	SERVICE = 4,
	ALL = SOURCE | DESTINATION | SERVICE,
};

struct packet {
	struct addr client, server;
	unsigned port;
	const char *transport;
	char icmp[48]; /* "type 8 code 0"; "" for other protocols */
};

/* Parses "10.0.0.1:502", "[2001:db8::1]:502", or an address alone. */
static bool parse_endpoint(const char *text, struct addr *ret, unsigned *ret_port)
{
	const char *colon = strrchr(text, ':'), *end = colon != NULL ? colon : text + strlen(text);
	char address[ADDR_TEXT];
	bool bracket = *text == '[';

	if ((size_t)(end - text) >= sizeof(address))
		return false;
	snprintf(address, sizeof(address), "%.*s", (int)(end - text) - 2 * bracket, text + bracket);
	*ret_port = colon != NULL ? (unsigned)strtoul(colon + 1, NULL, 10) : 0;
	return addr_parse(address, ret);
}

static bool packet_of(const json_t *e, struct packet *ret)
{
	unsigned ignored;

	*ret = (struct packet){ .transport = js(e, "transport") };
	if (json_object_get(e, "icmp_type") != NULL)
		snprintf(ret->icmp, sizeof(ret->icmp), "type %llu code %llu", ju(e, "icmp_type"), ju(e, "icmp_code"));
	return parse_endpoint(js(e, "client"), &ret->client, &ignored) &&
	       parse_endpoint(js(e, "server"), &ret->server, &ret->port);
}

bool nearest_fits(const json_t *e)
{
	struct packet p;

	return js_is(e, "reason", "no_conduit") && *js(e, "client_zone") != '\0' && *js(e, "server_zone") != '\0' &&
	       packet_of(e, &p);
}

static bool covers(const json_t *cell, const char *key, const struct addr *a)
{
	struct addr_range r;

	return addr_range_parse(js(cell, key), &r) && addr_in(a, &r);
}

static bool cell_serves(const json_t *cell, const struct packet *p)
{
	const char *ports = js(cell, "ports");
	unsigned long lo, hi;
	char *end;

	if (!js_is(cell, "protocol", p->transport))
		return false;
	if (*p->icmp != '\0') /* "type 8" covers all its codes */
		return strcmp(ports, p->icmp) == 0 ||
		       (strstr(ports, "code") == NULL && strncmp(ports, p->icmp, strlen(ports)) == 0 &&
			p->icmp[strlen(ports)] == ' ');
	lo = strtoul(ports, &end, 10);
	hi = *end == '-' ? strtoul(end + 1, NULL, 10) : lo;
	return p->port >= lo && p->port <= hi;
}

static unsigned cell_meets(const json_t *cell, const struct packet *p)
{
	return (covers(cell, "source", &p->client) ? SOURCE : 0u) |
	       (covers(cell, "destination", &p->server) ? DESTINATION : 0u) | (cell_serves(cell, p) ? SERVICE : 0u);
}

/* Conduits from the client's zone to the server's: an object from name to index. Owned by the
 * caller. */
static json_t *candidates(const json_t *e, const json_t *conduits)
{
	json_t *found = json_object();

	json_each_at(i, k, conduits)
		if (js_is(k, "from", js(e, "client_zone")) && js_is(k, "to", js(e, "server_zone")))
			(void)json_object_set_new(found, js(k, "name"), json_integer((json_int_t)i));
	return found;
}

struct nearest {
	const json_t *conduit; /* NULL: none leads there */
	unsigned met;
};

/* One pass over the cells, for any number of conduits. */
static struct nearest find_nearest(const json_t *e, const json_t *effective, const struct packet *p)
{
	const json_t *conduits = ja(effective, "conduits"), *cells = ja(effective, "cells"), *place;
	json_t *wanted = candidates(e, conduits);
	json_int_t best = -1;
	unsigned best_met = 0;
	const char *name;

	json_object_foreach(wanted, name, place) {
		if (best < 0 || json_integer_value(place) < best)
			best = json_integer_value(place);
	}
	json_each(cell, cells) {
		const json_t *names = ja(cell, "conduits");
		unsigned m = cell_meets(cell, p);

		json_each(one, names) {
			int more = __builtin_popcount(m) - __builtin_popcount(best_met);

			place = json_is_string(one) ? json_object_get(wanted, json_string_value(one)) : NULL;
			if (place == NULL || more < 0 || (more == 0 && json_integer_value(place) >= best))
				continue;
			best = json_integer_value(place);
			best_met = m;
		}
	}
	json_decref(wanted);
	return (struct nearest){ best >= 0 ? json_array_get(conduits, (size_t)best) : NULL, best_met };
}

/* "10.20.0.7, tcp/503": the parts of the packet that the conduit lacks. */
static void lacks(FILE *to, const json_t *e, const struct packet *p, unsigned m, enum lang l)
{
	char client[ADDR_TEXT], server[ADDR_TEXT];
	const char *comma = "";

	addr_text(&p->client, client);
	addr_text(&p->server, server);
	if ((m & SOURCE) == 0) {
		message_print(to, l, M_NEAREST_SOURCE, client);
		comma = message_format(M_NEAREST_COMMA, l);
	}
	if ((m & DESTINATION) == 0) {
		fputs(comma, to);
		message_print(to, l, M_NEAREST_DESTINATION, server);
		comma = message_format(M_NEAREST_COMMA, l);
	}
	if ((m & SERVICE) == 0) {
		fputs(comma, to);
		event_transport(to, e, l);
		if (*p->icmp == '\0' && p->port != 0)
			fprintf(to, "/%u", p->port);
	}
}

char *nearest_sentence(const json_t *e, const json_t *effective, enum lang l)
{
	struct nearest best;
	struct packet p;
	char *text = NULL;
	size_t size;
	FILE *to;

	if (!packet_of(e, &p))
		return NULL;
	to = open_memstream(&text, &size);
	if (to == NULL)
		return NULL;
	best = find_nearest(e, effective, &p);
	if (best.conduit == NULL) {
		message_print(to, l, M_NEAREST_NONE, js(e, "client_zone"), js(e, "server_zone"));
	} else if (best.met == ALL) {
		message_print(to, l, M_NEAREST_ALLOWED, js(best.conduit, "name"), js(best.conduit, "file"),
			      ju(best.conduit, "line"));
	} else {
		message_print(to, l, M_NEAREST, js(best.conduit, "name"), js(best.conduit, "file"),
			      ju(best.conduit, "line"));
		lacks(to, e, &p, best.met, l);
		fputs(message_format(M_NEAREST_END, l), to);
	}
	return text_closed(to, &text);
}
