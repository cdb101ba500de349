/* SPDX-License-Identifier: Apache-2.0 */
/* Services: a protocol, its ports, and what of it is allowed. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "policy/check/check.h"
#include "policy/check/keys.h"
#include "policy/check/meant.h"
#include "policy/check/names.h"
#include "policy/check/port.h"
#include "policy/check/say.h"

#define IP_ICMP 1

/* The one transport of the ports that a service lists; NULL: none, or several. */
static const struct transport *transport_of(const struct ast_node *ports)
{
	const struct transport *ret = NULL;
	struct ir_port unused;

	for (const struct ast_node *c = ports != NULL ? ports->child : NULL; c != NULL; c = c->next) {
		const struct transport *t = c->kind == AST_STRING ? port_parse(c->string, &unused) : NULL;

		if (t == NULL || (ret != NULL && t != ret))
			return NULL;
		ret = t;
	}
	return ret;
}

/* Whether a word is a slip for this protocol, and not the name of another one: "sctp" is not smtp,
 * "igmp" is not icmp, and "smtps" is smtp in TLS. */
static bool is_slip(const char *word, const char *name)
{
	size_t n = strlen(word);

	return n > 4 && (n != strlen(name) + 1 || strncmp(word, name, n - 1) != 0 || word[n - 1] != 's');
}

/* Tries other common names of a protocol first, because the nearest spelling could mislead ("https"
 * is not http). No hint leads to a protocol that does not run over the ports of the service. */
static void hint_protocol(struct check *k, struct diag *g, const char *name, const struct transport *over)
{
	static const char over_dcom[] = "opc opcda opc-da dcom opchda opc-hda opcae opc-ae";
	const char *known[PROTO_MAX], *near;
	char *plain = meant_plain(k->a, name);
	enum protocol also;

	if (plain == NULL || plain[0] == '\0')
		return;
	also = protocol_also_called(plain);
	for (char *c = plain; *c != '\0'; c++)
		*c = (char)(*c == ' ' || *c == '_' ? '-' : *c);
	also = also != PROTO_NONE ? also : protocol_also_called(plain);
	for (unsigned i = 1; i < protocols_end(); i++)
		known[i - 1] = protocol_info((enum protocol)i)->name;
	near = also != PROTO_NONE ? protocol_info(also)->name : word_nearest(plain, known, protocols_end() - 1);
	if (strlen(plain) > 2 && strcasestr(over_dcom, plain) != NULL)
		diag_hint(k->d, g, MP_HINT_DCOM); /* these have no fixed port */
	else if (near == NULL || (also == PROTO_NONE && strcasecmp(plain, near) != 0 && !is_slip(plain, near)) ||
		 (over != NULL && (protocol_info(protocol_by_name(near))->transports & over->bit) == 0))
		diag_hint(k->d, g, MP_HINT_PROTOCOLS);
	else
		diag_hint(k->d, g, MP_HINT_NEAR, near);
}

static enum protocol service_protocol(struct check *k, const struct ast_node *node, const struct ast_node *ports,
				      struct object o)
{
	enum protocol p = node != NULL ? protocol_by_name(node->string) : PROTO_NONE;
	struct diag *g;

	if (node == NULL || p != PROTO_NONE)
		return p;
	g = check_value(k, SEV_ERROR, "policy.unknown_protocol", node, MP_NO_PROTOCOL, o, node->string);
	if (k->d->errors <= DIAG_SHOWN)
		hint_protocol(k, g, node->string, transport_of(ports));
	return p;
}

static void port_bad(struct check *k, const struct ast_node *node, enum protocol p, struct object o)
{
	struct diag *g = check_value(k, SEV_ERROR, "policy.port", node, MP_PORT_BAD, o, node->string);
	const char *meant = k->d->errors <= DIAG_SHOWN ? meant_port(k->a, p, node->string) : NULL;

	if (meant != NULL)
		diag_hint(k->d, g, MP_HINT_WRITE, meant);
	else
		diag_hint(k->d, g, meant_everything(node->string) ? MP_HINT_NO_PORTS : MP_HINT_PORT);
}

static bool port_of(struct check *k, const struct ast_node *node, enum protocol p, struct object o, struct ir_port *ret)
{
	const struct transport *t = port_parse(node->string, ret);

	if (t == NULL) {
		port_bad(k, node, p, o);
		return false;
	}
	if (p == PROTO_NONE || (protocol_info(p)->transports & t->bit) != 0)
		return true;
	check_say(k, SEV_ERROR, "policy.port", node->value_at, node->value_width, MP_TRANSPORT_WRONG, o,
		  protocol_info(p)->name, t->name);
	return false;
}

static int by_port(const void *pa, const void *pb)
{
	const struct ir_port *a = pa, *b = pb;

	if (a->l4proto != b->l4proto)
		return a->l4proto < b->l4proto ? -1 : 1;
	if (a->lo != b->lo)
		return a->lo < b->lo ? -1 : 1;
	return a->hi < b->hi ? -1 : a->hi > b->hi;
}

/* Sorted and disjoint. Adjacent ICMP types stay separate, because 8 and 9 are unrelated. */
static void ports_merge(struct model_service *s)
{
	size_t n = 0;

	if (s->n_ports == 0)
		return;
	qsort(s->ports, s->n_ports, sizeof(s->ports[0]), by_port);
	for (size_t i = 1; i < s->n_ports; i++) {
		struct ir_port *last = &s->ports[n];
		const struct ir_port *one = &s->ports[i];

		if (one->l4proto == last->l4proto &&
		    (one->lo == last->lo || (one->l4proto != IP_ICMP && one->lo <= last->hi + 1u))) {
			if (one->hi > last->hi)
				last->hi = one->hi;
		} else {
			s->ports[++n] = *one;
		}
	}
	s->n_ports = n + 1;
}

static void service_ports(struct check *k, const struct ast_node *list, struct model_service *s, struct object o)
{
	s->ports = arena_array(k->a, list != NULL ? list->n : PORT_TRANSPORTS, sizeof(s->ports[0]));
	if (s->ports == NULL)
		return;
	for (size_t i = 0; list == NULL && i < PORT_TRANSPORTS; i++) {
		bool icmp = port_transports[i].bit == TRANSPORT_ICMP;

		if ((protocol_info(s->protocol)->transports & port_transports[i].bit) != 0)
			s->ports[s->n_ports++] = (struct ir_port){ port_transports[i].l4proto, icmp ? 0 : 1, 65535 };
	}
	for (const struct ast_node *c = NULL; (c = list_next(k, list, c, AST_STRING, o)) != NULL;)
		if (port_of(k, c, s->protocol, o, &s->ports[s->n_ports]))
			s->n_ports++;
	check_not_empty(k, list, o, MP_HINT_NO_PORTS);
	ports_merge(s);
}

/* The deviations from the protocol that are allowed in servers' answers. */
static uint8_t service_lenient(struct check *k, const struct ast_node *list, const struct model_service *s,
			       struct object o)
{
	const struct vocabulary *v = vocabulary_of(s->protocol);
	uint8_t bits = 0;

	for (const struct ast_node *c = NULL; (c = list_next(k, list, c, AST_STRING, o)) != NULL;) {
		struct ast_node word = *c;
		size_t i;

		word.name = list->name;
		i = choice_of(k, &word, o, lenient_words, LENIENT_WORDS, LENIENT_WORDS);
		bits |= (uint8_t)(1u << i);
		if (i < LENIENT_WORDS && s->protocol != PROTO_NONE && (v == NULL || (v->lenient >> i & 1u) == 0))
			check_value(k, SEV_WARNING, "policy.no_effect", &word, MP_LENIENT_USELESS, o, lenient_words[i]);
	}
	return bits & LENIENT_ALL;
}

static void one_service(struct check *k, const struct ast_node *node, struct model_service *s)
{
	const struct ast_node *v[KEYS(service_keys)];
	struct object o = { MP_OBJ_SERVICE, node->name };
	enum protocol_depth depth;

	*s = (struct model_service){ .name = node->name, .label = "", .whole = true, .at = node->at };
	name_check(k, node->name, node->at, node->width);
	if (!keys_read(k, node, service_keys, KEYS(service_keys), o, s, v))
		return;
	s->protocol = (uint16_t)service_protocol(k, v[SERVICE_PROTOCOL], v[SERVICE_PORTS], o);
	service_ports(k, v[SERVICE_PORTS], s, o);
	s->lenient = service_lenient(k, v[SERVICE_LENIENT], s, o);
	if (s->protocol == PROTO_NONE)
		return;
	depth = protocol_info(s->protocol)->depth;
	if (s->undecided_bytes > 0 && depth == DEPTH_TRANSPORT)
		check_value(k, SEV_WARNING, "policy.no_effect", v[SERVICE_UNDECIDED], MP_UNDECIDED_USELESS, o,
			    protocol_info(s->protocol)->name);
	if (v[SERVICE_ALLOW] == NULL)
		return;
	s->whole = false;
	if (vocabulary_of(s->protocol) == NULL) {
		check_say(k, SEV_ERROR, "policy.no_commands", v[SERVICE_ALLOW]->at, v[SERVICE_ALLOW]->width,
			  MP_NO_VOCABULARY, o, protocol_info(s->protocol)->name, "");
		return;
	}
	check_not_empty(k, v[SERVICE_ALLOW], o, MP_HINT_EMPTY_ALLOW_LIST);
	if (v[SERVICE_ALLOW]->n > 0 && s->undecided_bytes > 0)
		check_value(k, SEV_WARNING, "policy.no_effect", v[SERVICE_UNDECIDED], MP_UNDECIDED_JUDGED, o, "");
	check_allows(k, v[SERVICE_ALLOW], s);
}

size_t check_services_named(struct check *k, const struct ast_node *list, struct object o,
			    const struct model_service ***ret)
{
	size_t n = 0;

	*ret = arena_array(k->a, list->n, sizeof(void *));
	for (const struct ast_node *e = NULL; *ret != NULL && (e = list_next(k, list, e, AST_STRING, o)) != NULL;) {
		const struct model_service *s = names_need(k, &k->services, e, MP_NO_SERVICE, "policy.unknown_name", o);

		if (s != NULL)
			(*ret)[n++] = s;
	}
	check_not_empty(k, list, o, NO_HINT);
	return n;
}

void check_services(struct check *k, const struct ast_node *node)
{
	size_t n = node != NULL ? node->n : 0;
	struct model *m = k->m;

	m->services = arena_array(k->a, n, sizeof(m->services[0]));
	if (!names_new(k, &k->services, n) || m->services == NULL)
		return;
	for (const struct ast_node *c = node != NULL ? node->child : NULL; c != NULL; c = c->next) {
		names_put(&k->services, c->name, &m->services[m->n_services]);
		one_service(k, c, &m->services[m->n_services++]);
	}
	names_build(k, &k->services);
}
