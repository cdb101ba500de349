/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/box/links_json.h"
#include "appliance/base/json.h"
#include "appliance/box/admin_rules.h"
#include "appliance/box/box.h"

#include <stdio.h>
#include <string.h>

#include "appliance/wire/settings.h"

/* number of assets of a zone that are listed; the total is given as well */
#define ASSETS_SHOWN 24u

/* The names of the machines in a zone. */
static json_t *zone_json(const struct ir *ir, uint32_t zone)
{
	json_t *list = json_array();
	uint32_t all = 0;

	for (uint32_t a = 0; a < ir->n_assets; a++)
		if (ir->assets[a].zone == zone && all++ < ASSETS_SHOWN)
			json_array_append_new(list, json_pack("{s:o, s:o}", "name", json_text(ir->assets[a].name),
							      "label", json_text(ir->assets[a].label)));
	return json_pack("{s:o, s:o, s:o, s:o, s:I}", "name", json_text(ir->zones[zone].name), "label",
			 json_text(ir->zones[zone].label), "contact", json_text(ir->zones[zone].contact), "assets",
			 list, "assets_all", (json_int_t)all);
}

static json_t *zones_of(const struct ir *ir, const struct ir_interface *x)
{
	uint32_t index = (uint32_t)(x - ir->interfaces);
	json_t *list = json_array();

	for (uint32_t z = 0; z < ir->n_zones; z++)
		for (uint32_t i = 0; i < ir->zones[z].n_interfaces; i++)
			if (ir->zones[z].interfaces[i] == index)
				json_array_append_new(list, zone_json(ir, z));
	return list;
}

static json_t *words_json(const char *text)
{
	json_t *list = json_array();

	while (*text != '\0') {
		size_t n = strcspn(text, " ");

		json_array_append_new(list, json_stringn(text, n));
		text += n + (text[n] == ' ');
	}
	return list;
}

static json_t *counts_json(uint64_t packets, uint64_t bytes, uint64_t errors, uint64_t dropped)
{
	return json_pack("{s:I,s:I,s:I,s:I}", "packets", (json_int_t)packets, "bytes", (json_int_t)bytes, "errors",
			 (json_int_t)errors, "dropped", (json_int_t)dropped);
}

/* "02:00:00:00:00:01" */
static json_t *mac_json(const struct device *d)
{
	char text[3 * sizeof(d->mac) + 1] = "";

	for (uint8_t i = 0; i < d->n_mac; i++)
		snprintf(text + (i > 0 ? 3 * i - 1 : 0), 4, i > 0 ? ":%02x" : "%02x", d->mac[i]);
	return json_text(text);
}

static const char *link_word(const struct device *d)
{
	if (d == NULL)
		return "absent";
	if (!d->up)
		return "down";
	return d->carrier ? "up" : "no_carrier";
}

struct telling {
	const struct box_spaces *spaces;
	const struct ir *ir;
	json_t *list;
	const char *card; /* the card that was asked last, and how many frames it had refused */
	uint64_t refused;
};

/* The part about the card of a VLAN. Refused frames are counted for the card, because a frame
 * without a tag belongs to no VLAN. */
static json_t *card_json(const struct ir_interface *i, const struct device *card, uint64_t refused)
{
	return json_pack("{s:o, s:i, s:s, s:I}", "device", json_text(i->card), "vlan", (int)i->vlan, "link",
			 link_word(card), "refused", (json_int_t)refused);
}

static void interface_json(void *ctx, const struct ir_interface *i, const struct device *d, const struct device *card,
			   const char *addresses)
{
	struct telling *t = ctx;
	json_t *j = json_pack("{s:o,s:o,s:s,s:o,s:s,s:o}", "name", json_text(i->name), "device", json_text(i->device),
			      "space", i->admin ? "admin" : "data", "zones", zones_of(t->ir, i), "link", link_word(d),
			      "addresses", words_json(addresses));

	if (i->vlan != 0 && (t->card == NULL || strcmp(t->card, i->card) != 0)) {
		t->card = i->card;
		t->refused = box_refused(t->spaces, i->card);
	}
	if (i->vlan != 0)
		json_object_set_new(j, "card", card_json(i, card, t->refused));
	if (d != NULL) {
		const struct rtnl_link_stats64 *c = &d->counted;

		json_object_set_new(j, "mac", mac_json(d));
		json_object_set_new(j, "mtu", json_integer(d->mtu));
		json_object_set_new(j, "rx", counts_json(c->rx_packets, c->rx_bytes, c->rx_errors, c->rx_dropped));
		json_object_set_new(j, "tx", counts_json(c->tx_packets, c->tx_bytes, c->tx_errors, c->tx_dropped));
	}
	json_array_append_new(t->list, j);
}

/* The number of hosts in the range, at most as many as the kernel has entries. */
static uint64_t range_hosts(const struct addr_range *r)
{
	uint64_t n = 0;

	for (size_t i = 0; i < addr_len(r->lo.family); i++)
		n = n * 256 + r->hi.b[i] - r->lo.b[i];
	return n + 1;
}

static void answered_json(void *ctx, const struct ir_interface *i, const struct addr_range *list, size_t n)
{
	uint64_t count = 0;

	for (size_t k = 0; k < n; k++)
		count += range_hosts(&list[k]);
	json_array_append_new(ctx, json_pack("{s:o, s:I, s:o}", "interface", json_text(i->name), "count",
					     (json_int_t)count, "ranges", json_addr_ranges(list, n)));
}

json_t *box_answering_json(const struct box_spaces *s, const struct ir *ir)
{
	json_t *list = json_array();

	if (box_answering(s, ir, answered_json, list, NULL) == 0)
		return list;
	json_decref(list);
	return json_null();
}

/* Adds the part of each interface; both lists have the order of box.cfg. */
static void add_answers(const struct box_spaces *s, const struct ir *ir, json_t *interfaces)
{
	json_t *list = box_answering_json(s, ir);

	for (size_t i = 0, k = 0; i < json_array_size(interfaces) && k < json_array_size(list); i++) {
		json_t *x = json_array_get(interfaces, i), *answers = json_array_get(list, k);

		if (!json_equal(json_object_get(x, "name"), json_object_get(answers, "interface")))
			continue;
		json_object_del(answers, "interface");
		json_object_set(x, "answers", answers);
		k++;
	}
	json_decref(list);
}

json_t *box_interfaces_json(const struct box_spaces *s, const struct ir *ir)
{
	struct telling t = { .spaces = s, .ir = ir, .list = json_array() };

	if (box_interfaces(s, ir, interface_json, &t, NULL) < 0) {
		json_decref(t.list);
		return json_null();
	}
	add_answers(s, ir, t.list);
	return t.list;
}

struct reaching {
	json_t *peers, *terminals, *others;
};

static void peer_json(void *ctx, const struct ir_peer *p, const char *text, uint64_t packets, uint64_t bytes)
{
	const struct reaching *r = ctx;
	char address[ADDR_TEXT], transport[WORD_TEXT];
	json_t *peer;

	if (p == NULL) {
		json_array_append_new(r->others, json_text(text));
		return;
	}
	addr_text(&p->address, address);
	peer = json_pack("{s:s, s:s, s:s, s:i, s:i, s:I, s:I}", "use", peer_words[p->use], "address", address,
			 "protocol", transport_text(p->l4proto, transport), "port", (int)p->port, "line", (int)p->line,
			 "packets", (json_int_t)packets, "bytes", (json_int_t)bytes);
	if (p->use == PEER_LOG) {
		json_object_set_new(peer, "transport", json_string(log_transport_words[p->relp]));
		json_object_set_new(peer, "format", json_string(log_format_words[p->eve]));
	}
	json_array_append_new(p->use == PEER_TERMINAL ? r->terminals : r->peers, peer);
}

json_t *box_reach_json(const struct box_spaces *s, const struct ir *ir)
{
	struct reaching r = { json_array(), json_array(), json_array() };
	struct admin_rules_seen seen;

	if (box_admin_rules_read(s, ir, peer_json, &r, &seen, NULL) < 0) {
		json_decref(r.peers);
		json_decref(r.terminals);
		json_decref(r.others);
		return json_null();
	}
	return json_pack("{s:b, s:o, s:b, s:o, s:o, s:I, s:I}", "stands", (int)seen.there, "peers", r.peers,
			 "anybody_enters", (int)seen.anybody, "terminals", r.terminals, "others", r.others, "refused",
			 (json_int_t)seen.refused, "refused_in", (json_int_t)seen.refused_in);
}
