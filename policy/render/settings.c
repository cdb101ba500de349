/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/render/settings.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "appliance/wire/duty.h"
#include "appliance/wire/hours.h"
#include "appliance/wire/notation.h"
#include "policy/check/model.h"
#include "policy/check/model_box.h"
#include "policy/check/model_claims.h"
#include "policy/check/model_visitors.h"
#include "policy/check/port.h"
#include "policy/space/prove.h"

/* ---- values ---------------------------------------------------------------------------------- */

static json_t *said(const char *text)
{
	return text == NULL || *text == '\0' ? json_null() : json_text(text);
}

/* A number; 0 stands for a setting that is not given. */
static json_t *count(uint32_t n)
{
	return n != 0 ? json_integer(n) : json_null();
}

static void put_line(json_t *list, const char *text)
{
	(void)json_array_append_new(list, json_text(text));
}

static json_t *ranges(const struct addr_range *r, size_t n)
{
	return json_list_whole(json_addr_ranges(r, n), n);
}

static json_t *hosts(const struct model_interface *m)
{
	json_t *list = json_array();
	char text[ADDR_TEXT];

	for (size_t i = 0; i < m->n_addresses; i++) {
		addr_text(&m->addresses[i], text);
		(void)json_array_append_new(list, json_sprintf("%s/%u", text, m->prefix_lengths[i]));
	}
	return json_list_whole(list, m->n_addresses);
}

static json_t *address(const struct addr *a)
{
	return a->family != 0 ? json_addr(a) : json_null();
}

/* The words whose bits are set. */
static json_t *words(const char *const *list, unsigned n, unsigned bits)
{
	json_t *j = json_array();

	for (unsigned i = 0; i < n; i++)
		if ((bits & 1u << i) != 0)
			put_line(j, list[i]);
	return j;
}

/* ---- rows of `allow` ------------------------------------------------------------------------- */

/* The first code above `code` with a name, or one past `hi`. */
static uint64_t next_named(const struct vocabulary *v, uint64_t code, uint64_t hi)
{
	for (unsigned i = 0; i < v->n_functions; i++)
		if (v->functions[i].code > code && v->functions[i].code <= hi)
			return v->functions[i].code;
	return hi + 1;
}

/* "read_coils, 100-105" */
static void row_functions(FILE *to, const struct command_table *t, const struct command_row *r,
			  const struct vocabulary *v)
{
	const char *comma = "";
	char lo[CODE_TEXT], hi[CODE_TEXT];

	for (uint32_t i = 0; i < r->services.n; i++) {
		const struct number_range *codes = &t->ranges[r->services.first + i];

		for (uint64_t c = codes->lo, next; c <= codes->hi; c = next) {
			const struct function_info *f = function_by_code(v, (uint32_t)c);

			if (f != NULL && f->code == c && f->last <= codes->hi) {
				next = (uint64_t)f->last + 1;
				fprintf(to, "%s%s", comma, f->name);
			} else {
				next = f != NULL && f->last <= codes->hi ? (uint64_t)f->last + 1
									 : next_named(v, c, codes->hi);
				code_text(v, c, lo);
				code_text(v, next - 1, hi);
				fprintf(to, next - 1 == c ? "%s%s" : "%s%s-%s", comma, lo, hi);
			}
			comma = ", ";
		}
	}
}

/* "; units 1-3", or nothing where the row has no limit. */
static void row_numbers(FILE *to, const char *key, const struct command_table *t, const struct number_set *s,
			struct notation n)
{
	char text[NOTATION_TEXT];

	if (s == NULL || s->any)
		return;
	fprintf(to, "; %s", key);
	for (uint32_t i = 0; i < s->n; i++) {
		notation_text(&n, t->ranges[s->first + i], text);
		fprintf(to, "%s %s", i > 0 ? "," : "", text);
	}
}

/* "read_holding_registers; units 1; holding 0-99": the row in the language's words. */
static json_t *row(const struct command_table *t, const struct command_row *r, const struct vocabulary *v)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);
	json_t *j;

	if (to == NULL)
		return NULL;
	row_functions(to, t, r, v);
	for (unsigned i = 0; i < v->n_targets; i++)
		row_numbers(to, v->targets[i].key, t, &r->targets[i], notation_of_target(&v->targets[i]));
	row_numbers(to, "values", t, &r->values, notation_plain(INT64_MAX));
	for (unsigned i = 0; !r->spaces_any && i < v->n_spaces; i++)
		if (row_space(t, r, (uint8_t)i) != NULL)
			row_numbers(to, v->spaces[i].key, t, row_space(t, r, (uint8_t)i),
				    notation_of_space(&v->spaces[i]));
	j = json_text(fclose(to) == 0 ? text : NULL);
	free(text);
	return j;
}

/* The rows of a service; JSON null for the whole protocol. */
static json_t *rows(const struct model *m, const struct model_service *s)
{
	const struct vocabulary *v = vocabulary_of(s->protocol);
	json_t *list;

	if (s->whole || v == NULL)
		return json_null();
	list = json_array();
	for (size_t i = 0; i < s->n_allows; i++)
		(void)json_array_append_new(list, row(&m->rows.t, &s->allows[i].row, v));
	return json_list_whole(list, s->n_allows);
}

/* "tcp/502", "icmp/8" */
static json_t *ports(const struct model_service *s)
{
	json_t *list = json_array();
	char word[WORD_TEXT];

	for (size_t i = 0; i < s->n_ports; i++) {
		const struct ir_port *p = &s->ports[i];
		unsigned shift = p->l4proto == IPPROTO_ICMP ? 8 : 0, lo = p->lo >> shift, hi = p->hi >> shift;

		transport_text(p->l4proto, word);
		(void)json_array_append_new(list, lo == hi ? json_sprintf("%s/%u", word, lo)
							   : json_sprintf("%s/%u-%u", word, lo, hi));
	}
	return json_list_whole(list, s->n_ports);
}

/* ---- objects --------------------------------------------------------------------------------- */

/* Takes over both references; `at` with line 0: unknown. */
static void object(json_t *all, const struct compilation *s, const char *kind, json_t *name, struct srcpos at,
		   json_t *settings)
{
	bool known = at.line != 0 && at.file < s->n_sources;

	(void)json_array_append_new(all, json_pack("{s:s, s:o, s:o, s:i, s:o}", "object", kind, "name", name, "file",
						   known ? json_text(s->sources[at.file].name) : json_null(), "line",
						   known ? (int)at.line : 0, "settings", settings));
}

static void detect(json_t *settings, const struct attack_rule *r)
{
#define ATTACK(id, word, ...) json_object_set_new(settings, "detect." #word, count(r->at_least[id]));
#define ATTACK_SETTING(word, ...) json_object_set_new(settings, "detect." #word, count(r->word));
#include "appliance/wire/attack.def"
}

/* What must be heard before a trial is confirmed. */
static json_t *needed(const struct model *m)
{
	json_t *list = json_array();

	for (size_t i = 0; m->needs_conduit != NULL && i < m->n_conduits; i++)
		if (m->needs_conduit[i])
			put_line(list, m->conduits[i].name);
	for (size_t i = 0; m->needs_asset != NULL && i < m->n_assets; i++)
		if (m->needs_asset[i])
			put_line(list, m->assets[i].name);
	return list;
}

static void site(json_t *all, const struct compilation *s)
{
	const struct model *m = s->model;
	json_t *settings = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:b}", "name", said(m->site_name),
				     "label", said(m->site_label), "contact", said(m->site_contact), "keep_days",
				     count(m->retention.keep_days), "delete_after_days",
				     count(m->retention.delete_after_days), "records.purpose", said(m->records.purpose),
				     "records.responsible", said(m->records.responsible), "weak_tls",
				     weak_tls_words[m->deny_weak_tls], "record_passed", m->record_passed);

	(void)json_object_set_new(settings, "time_zone", said(m->time_zone_said));
	(void)json_object_set_new(settings, "ledger", json_string(ledger_words[m->strict_ledger]));
	(void)json_object_set_new(settings, "confirm_needs", needed(m));
	detect(settings, &m->detect);
	object(all, s, "site", json_null(), (struct srcpos){ 0 }, settings);
}

/* The zone of the box itself is in no policy text. */
static void zone(json_t *all, const struct compilation *s, const struct model_zone *z)
{
	json_t *interfaces = json_array(), *lines = json_array();

	for (size_t i = 0; i < z->n_interfaces; i++)
		put_line(interfaces, z->interfaces[i]->name);
	for (size_t i = 0; i < z->n_lines; i++)
		(void)json_array_append_new(
			lines, json_sprintf("%s, %s, %s", z->lines[i].carrier, z->lines[i].service, z->lines[i].place));
	object(all, s, "zone", json_text(z->name), z->at,
	       json_pack("{s:o, s:o, s:s, s:o, s:b, s:o, s:o, s:o, s:o, s:o, s:o}", "interfaces", interfaces,
			 "networks", ranges(z->ranges, z->n_ranges), "class", zone_class_words[z->class], "owner",
			 said(z->owner), "patchable", z->patchable, "label", said(z->label), "purpose",
			 said(z->purpose), "approved_by", said(z->approved_by), "review_by", said(z->review_by),
			 "contact", said(z->contact), "lines", json_list_whole(lines, z->n_lines)));
}

static void asset(json_t *all, const struct compilation *s, const struct model_asset *a)
{
	object(all, s, "asset", json_text(a->name), a->at,
	       json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "zone", json_text(a->zone->name), "addresses",
			 ranges(a->ranges, a->n_ranges), "label", said(a->label), "model", said(a->model), "place",
			 said(a->place), "support_until", said(a->support_until)));
}

static void service(json_t *all, const struct compilation *s, const struct model_service *v)
{
	object(all, s, "service", json_text(v->name), v->at,
	       json_pack("{s:s, s:o, s:o, s:o, s:i, s:b, s:o}", "protocol", protocol_info(v->protocol)->name, "ports",
			 ports(v), "allow", rows(s->model, v), "lenient",
			 words(lenient_words, LENIENT_WORDS, v->lenient), "undecided_bytes", (int)v->undecided_bytes,
			 "tunnel", v->tunnel, "label", said(v->label)));
}

/* "policy.all_commands_to_ot (for a year)" */
static json_t *accepts(const struct model_conduit *c)
{
	json_t *list = json_array();

	for (size_t i = 0; i < c->n_accepts; i++)
		(void)json_array_append_new(list, json_sprintf("%s (%s)", c->accepts[i].warning, c->accepts[i].reason));
	return json_list_whole(list, c->n_accepts);
}

/* Server names; without any, every server is allowed. */
static json_t *server_names(const struct model_conduit *c)
{
	json_t *list = c->n_servers > 0 ? json_array() : json_null();

	for (size_t i = 0; i < c->n_servers; i++)
		put_line(list, c->servers[i].name);
	return list;
}

/* "friday: fri 09:00-17:00, 2026-12-04/2027-03-26, except 2027-01-01": the name of a window and
 * when it is open. */
static json_t *hours(const struct model_window *x)
{
	const struct window *w = x != NULL ? &x->when : NULL;
	char *text = NULL;
	size_t size;
	FILE *to = w != NULL ? open_memstream(&text, &size) : NULL;
	json_t *j;

	if (to == NULL)
		return json_null();
	fprintf(to, "%s: ", x->name);
	window_print(to, w, "");
	window_dates_print(to, w, UINT32_MAX);
	j = fclose(to) == 0 ? json_text(text) : NULL;
	free(text);
	return j != NULL ? j : json_null();
}

static json_t *span(uint32_t seconds)
{
	char text[SECONDS_TEXT];

	seconds_text(seconds, text);
	return seconds != 0 ? json_string(text) : json_null();
}

static void conduit(json_t *all, const struct compilation *s, const struct model_conduit *c)
{
	json_t *services = json_array(), *o;

	for (size_t i = 0; i < c->n_services; i++)
		put_line(services, c->services[i]->name);
	o = json_pack("{s:o, s:o, s:o, s:o, s:o, s:s, s:b, s:s, s:s, s:s, s:s, s:s, s:s}", "from",
		      json_text(c->from->name), "to", json_text(c->to->name), "sources",
		      ranges(c->sources, c->n_sources), "destinations", ranges(c->destinations, c->n_destinations),
		      "services", services, "mode", mode_words[c->observe], "shadow", c->shadow, "criticality",
		      criticality_words[c->criticality], "when_down", failure_words[c->when_down], "when_overloaded",
		      failure_words[c->when_overloaded], "when_midstream", midstream_words[c->when_midstream],
		      "on_tighten", tighten_words[c->tighten_new_flows], "weak_tls", weak_tls_words[c->deny_weak_tls]);
	(void)json_object_set_new(o, "names", server_names(c));
	(void)json_object_set_new(o, "until", json_seconds(c->until));
	(void)json_object_set_new(o, "starts", json_seconds(c->starts));
	(void)json_object_set_new(o, "within", hours(c->within));
	(void)json_object_set_new(o, "door", c->door != NULL ? json_text(c->door->name) : json_null());
	(void)json_object_set_new(o, "heard_within", span(c->heard_within));
	(void)json_object_set_new(o, "idle", span(c->idle));
	(void)json_object_set_new(o, "session", span(c->session));
	(void)json_object_set_new(o, "review_by", said(c->review_by));
	(void)json_object_set_new(o, "purpose", said(c->purpose));
	(void)json_object_set_new(o, "owner", said(c->owner));
	(void)json_object_set_new(o, "approved_by", said(c->approved_by));
	(void)json_object_set_new(o, "accept", accepts(c));
#define OF_EXCEPTION(key)                                                                                              \
	(void)json_object_set_new(o, "exception." #key, c->exception != NULL ? said(c->exception->key) : json_null());
	OF_EXCEPTION(applicant)
	OF_EXCEPTION(rule)
	OF_EXCEPTION(effect)
	OF_EXCEPTION(reason)
	OF_EXCEPTION(instead)
	OF_EXCEPTION(approved_by)
	OF_EXCEPTION(report)
#undef OF_EXCEPTION
	(void)json_object_set_new(o, "label", said(c->label));
	object(all, s, "conduit", json_text(c->name), c->at, o);
}

/* A statement has no name; its subject is used instead. */
static json_t *answers(const struct model_never *v)
{
	json_t *list = json_array();

	for (size_t i = 0; i < v->n_answers; i++)
		json_array_append_new(list, json_text(v->answers[i]->name));
	return list;
}

json_t *settings_assets(const struct model_hosts *h)
{
	json_t *list = json_array();

	for (size_t i = 0; i < h->n_assets; i++)
		json_array_append_new(list, json_text(h->assets[i]->name));
	return list;
}

static void never(json_t *all, const struct compilation *s, const struct model_never *v)
{
	object(all, s, "never", json_sprintf("%s -> %s", v->from->name, v->to->name), v->at,
	       json_pack("{s:o, s:s, s:o, s:o, s:o, s:o}", "commands",
			 v->all_commands ? json_null()
					 : words(command_class_words, words_n(command_class_words), v->classes),
			 "scope", v->chain ? "chain" : "direct", "answer_only", answers(v), "from_assets",
			 settings_assets(&v->sources), "to_assets", settings_assets(&v->destinations), "label",
			 said(v->label)));
}

static void door(json_t *all, const struct compilation *s, const struct model_door *d)
{
	json_t *by = json_array();
	char span[SECONDS_TEXT];

	seconds_text(d->at_most, span);
	for (unsigned n = 0; n < DUTY_COUNT; n++)
		if ((d->opened_by >> n & 1u) != 0)
			put_line(by, duty_word(n));
	object(all, s, "door", json_text(d->name), d->at,
	       json_pack("{s:s, s:o, s:o, s:o, s:b, s:b, s:o}", "at_most", span, "opened_by", by, "needs",
			 words(door_need_words, DOOR_NEEDS, d->needs), "organisation",
			 d->organisation != NULL ? json_text(d->organisation->name) : json_null(), "second_person",
			 d->second_person, "break_glass", d->break_glass, "label", said(d->label)));
}

static void organisation(json_t *all, const struct compilation *s, const struct model_organisation *one)
{
	json_t *contacts = json_array();

	for (size_t i = 0; i < one->n_contacts; i++)
		json_array_append_new(contacts, json_text(one->contacts[i].contact));
	object(all, s, "organisation", json_text(one->name), one->at,
	       json_pack("{s:o, s:o, s:o, s:o}", "zone", json_text(one->zone->name), "contract_until",
			 json_seconds(one->contract_until), "contacts", contacts, "label", said(one->label)));
}

static void isolation(json_t *all, const struct compilation *s, const struct model_isolation *one)
{
	json_t *cut = json_array(), *keep = json_array(), *on_alarm = json_array();

	for (unsigned i = 0; i < ATTACK_CAUSES; i++)
		if ((one->on_alarm >> i & 1) != 0)
			put_line(on_alarm, attack_word(i));
	for (size_t i = 0; i < one->n_cuts; i++)
		put_line(cut, one->cuts[i].what);
	for (size_t i = 0; one->keep != NULL && i < s->model->n_conduits; i++)
		if (one->keep[i])
			put_line(keep, s->model->conduits[i].name);
	object(all, s, "isolation", json_text(one->name), one->at,
	       json_pack("{s:o, s:o, s:o, s:o}", "cut", cut, "keep", keep, "on_alarm", on_alarm, "label",
			 said(one->label)));
}

static void always(json_t *all, const struct compilation *s, const struct model_always *w)
{
	json_t *services = json_array();

	for (size_t i = 0; i < w->n_services; i++)
		json_array_append_new(services, json_text(w->services[i]->name));
	object(all, s, "always", json_sprintf("%s -> %s", w->from->name, w->to->name), w->at,
	       json_pack("{s:o, s:o, s:o, s:o}", "services", services, "from_assets", settings_assets(&w->sources),
			 "to_assets", settings_assets(&w->destinations), "purpose", said(w->purpose)));
}

/* An interface that is a side of `between` has the addresses given there. */
static void interface(json_t *all, const struct compilation *s, const struct model_interface *f)
{
	object(all, s, "interface", json_text(f->name), f->at,
	       json_pack("{s:o, s:o, s:o, s:s, s:o, s:o}", "device", json_text(*f->card != '\0' ? f->card : f->device),
			 "vlan", count(f->vlan), "addresses", f->between == NULL ? hosts(f) : json_array(), "role",
			 f->admin ? "admin" : "data", "mtu", count(f->mtu), "label", said(f->label)));
}

static void route(json_t *all, const struct compilation *s, const struct model_route *r)
{
	object(all, s, "route", json_addr_range(&r->to), r->at,
	       json_pack("{s:o, s:o}", "via", address(&r->via), "interface",
			 r->interface != NULL ? json_text(r->interface->name) : json_null()));
}

static void between(json_t *all, const struct compilation *s, const struct model_between *b)
{
	char *name = NULL;
	size_t size;
	FILE *to = open_memstream(&name, &size);

	for (size_t i = 0; to != NULL && i < b->n_sides; i++)
		fprintf(to, "%s%s", i > 0 ? ", " : "", b->sides[i]->name);
	object(all, s, "between", json_text(to != NULL && fclose(to) == 0 ? name : NULL), b->at,
	       json_pack("{s:o}", "addresses", hosts(&b->shared)));
	free(name);
}

/* The mail addresses of a text, separated by blanks. */
static json_t *mail_to(const char *text)
{
	json_t *list = json_array();

	while (*text != '\0') {
		size_t n = strcspn(text, " ");

		(void)json_array_append_new(list, json_stringn(text, n));
		text += n + (text[n] == ' ');
	}
	return list;
}

static const char *const peer_sections[] = {
	[PEER_LOG] = "log_server",   [PEER_UPDATE] = "update_server", [PEER_UPS] = "ups",
	[PEER_MAIL] = "mail_server", [PEER_SNMP] = "snmp_receiver",   [PEER_BACKUP] = "backup_server"
};

static void peer(json_t *all, const struct compilation *s, const struct ir_peer *p)
{
	json_t *o = json_pack("{s:o, s:i}", "address", json_addr(&p->address), "port", (int)p->port);

	if (p->use != PEER_SNMP)
		(void)json_object_set_new(o, "name", said(p->name));
	if (p->use == PEER_LOG || p->use == PEER_UPDATE || p->use == PEER_MAIL || p->use == PEER_BACKUP)
		(void)json_object_set_new(o, "ca", said(p->ca));
	if (p->use == PEER_LOG) {
		(void)json_object_set_new(o, "transport", json_string(log_transport_words[p->relp]));
		(void)json_object_set_new(o, "format", json_string(log_format_words[p->eve]));
	}
	if (p->use == PEER_UPS || p->use == PEER_MAIL || p->use == PEER_SNMP || p->use == PEER_BACKUP)
		(void)json_object_set_new(o, "user", said(p->user));
	if (p->use == PEER_UPS)
		(void)json_object_set_new(o, "on_low", json_string(on_low_words[p->power_off]));
	if (p->use == PEER_MAIL) {
		(void)json_object_set_new(o, "from", said(p->from));
		(void)json_object_set_new(o, "to", mail_to(p->to));
	}
	if (p->use == PEER_BACKUP)
		(void)json_object_set_new(o, "folder", said(p->to));
	object(all, s, peer_sections[p->use], json_null(), p->at, o);
}

static json_t *peers_of(const struct model_box *b, enum peer_use use)
{
	json_t *list = json_array();

	for (size_t i = 0; i < b->n_peers; i++)
		if (b->peers[i].use == use)
			(void)json_array_append_new(list, json_addr(&b->peers[i].address));
	return list;
}

static void box(json_t *all, const struct compilation *s)
{
	const struct model_box *b = &s->model->box;

	object(all, s, "box", json_null(), (struct srcpos){ 0 },
	       json_pack("{s:o, s:o, s:o, s:o, s:o}", "workers", count(b->workers), "naming_workers",
			 count(b->naming_workers), "command_workers", count(b->command_workers), "time",
			 peers_of(b, PEER_TIME), "terminals", peers_of(b, PEER_TERMINAL)));
	for (size_t i = 0; i < b->n_interfaces; i++)
		interface(all, s, &b->interfaces[i]);
	/* Routes without a gateway follow from `between`. */
	for (size_t i = 0; i < b->n_routes; i++)
		if (b->routes[i].via.family != 0)
			route(all, s, &b->routes[i]);
	for (size_t i = 0; i < b->n_betweens; i++)
		between(all, s, &b->betweens[i]);
	for (size_t i = 0; i < b->n_peers; i++)
		if (b->peers[i].use != PEER_TIME && b->peers[i].use != PEER_TERMINAL)
			peer(all, s, &b->peers[i]);
}

/* The number of objects; a smaller list means that memory ran out. */
static size_t objects_of(const struct model *m)
{
	const struct model_box *b = &m->box;
	size_t n = 2 + m->n_doors + m->n_organisations + m->n_assets + m->n_services + m->n_conduits + m->n_nevers +
		   m->n_always + m->n_isolations + m->n_breaks + b->n_interfaces + b->n_betweens;

	for (size_t i = 0; i < m->n_zones; i++)
		n += !m->zones[i].self;
	for (size_t i = 0; i < b->n_routes; i++)
		n += b->routes[i].via.family != 0;
	for (size_t i = 0; i < b->n_peers; i++)
		n += b->peers[i].use != PEER_TIME && b->peers[i].use != PEER_TERMINAL;
	return n;
}

json_t *settings_json(const struct compilation *s)
{
	const struct model *m = s->model;
	json_t *all = json_array();

	site(all, s);
	for (size_t i = 0; i < m->n_zones; i++)
		if (!m->zones[i].self)
			zone(all, s, &m->zones[i]);
	for (size_t i = 0; i < m->n_doors; i++)
		door(all, s, &m->doors[i]);
	for (size_t i = 0; i < m->n_organisations; i++)
		organisation(all, s, &m->organisations[i]);
	for (size_t i = 0; i < m->n_assets; i++)
		asset(all, s, &m->assets[i]);
	for (size_t i = 0; i < m->n_services; i++)
		service(all, s, &m->services[i]);
	for (size_t i = 0; i < m->n_conduits; i++)
		conduit(all, s, &m->conduits[i]);
	for (size_t i = 0; i < m->n_nevers; i++)
		never(all, s, &m->nevers[i]);
	for (size_t i = 0; i < m->n_always; i++)
		always(all, s, &m->always[i]);
	for (size_t i = 0; i < m->n_isolations; i++)
		isolation(all, s, &m->isolations[i]);
	for (size_t i = 0; i < m->n_breaks; i++)
		object(all, s, "chain_break", json_text(m->breaks[i].asset->name), m->breaks[i].at,
		       json_pack("{s:o}", "reason", said(m->breaks[i].reason)));
	box(all, s);
	return json_list_whole(all, objects_of(m));
}
