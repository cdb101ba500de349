/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hosts that the box itself may contact: time sources, servers for logs, updates and backups, UPS,
 * mail and informs (box.cfg); and the terminals that may contact it. In the admin namespace the box
 * communicates with these only, so each must be behind an admin interface.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "appliance/wire/plain.h"
#include "policy/check/check.h"
#include "policy/check/keys.h"
#include "policy/check/network.h"
#include "policy/check/say.h"

#define TIME_PORT 123u	     /* RFC 5905, 6 */
#define LOG_PORT 6514u	     /* syslog over TLS: RFC 5425, 4.1 */
#define RELP_PORT 2514u	     /* no port is registered; RELP's authors use this one in examples */
#define UPS_PORT 3493u	     /* NUT: RFC 9271, 3 */
#define TIME_SOURCES_MAX 16u /* more than chrony can usefully compare */
#define TERMINALS_MAX 64u    /* more than a site has terminals */
#define MANAGEMENT_PORT 443u /* port of the API */
/* submission with STARTTLS: RFC 6409, RFC 3207; 465 with TLS from the start: RFC 8314 */
#define MAIL_PORT 587u
#define SNMP_PORT 162u	/* notifications: RFC 3417, 8.2 */
#define HTTPS_PORT 443u /* RFC 9110, 4.2.2: updates, backups */

static bool leads(const struct model_box *b, const struct addr *a)
{
	for (size_t i = 0; i < b->n_interfaces; i++) {
		const struct model_interface *f = &b->interfaces[i];

		if (!f->admin)
			continue;
		if (in_network(f, a))
			return true;
		for (size_t r = 0; r < b->n_routes; r++)
			if (addr_in(a, &b->routes[r].to) &&
			    (b->routes[r].interface == NULL || b->routes[r].interface == f) &&
			    in_network(f, &b->routes[r].via))
				return true;
	}
	return false;
}

/* Whether the text is an address or network with a prefix length. */
static bool with_length(const char *text)
{
	struct addr_range whole;
	bool stray = false;

	return strchr(text, '/') != NULL && (prefix_parse(text, &whole, &stray) || stray);
}

/* Checks one peer. False after reporting an error. */
static bool peer(struct check *k, const struct ast_node *node, struct object o, struct ir_peer *p)
{
	const struct model_box *b = &k->m->box;

	p->at = node->value_at;
	p->line = p->at.line;
	if (!addr_parse(node->string, &p->address) || !is_host(&p->address) || is_of_a_link(&p->address)) {
		check_hinted(k, SEV_ERROR, "policy.address", node, MP_PEER_BAD, o, node->string,
			     with_length(node->string) ? MP_HINT_PEER_NETWORK : MP_HINT_PEER_BAD);
		return false;
	}
	for (size_t i = 0; i < b->n_peers; i++)
		if (b->peers[i].use == p->use && addr_cmp(&b->peers[i].address, &p->address) == 0) {
			check_value(k, SEV_ERROR, "policy.twice", node, MP_TWICE, o, node->string);
			return false;
		}
	if (is_nobody(b, &p->address, NULL))
		check_value(k, SEV_ERROR, "policy.peer", node, MP_PEER_NOBODY, o, node->string);
	else if (!leads(b, &p->address))
		check_hinted(k, SEV_ERROR, "policy.peer", node, MP_PEER_UNREACHED, o, node->string,
			     MP_HINT_PEER_UNREACHED);
	else
		return true;
	return false;
}

/* Reads a list of hosts with the same properties. */
static void hosts(struct check *k, const struct ast_node *list, struct ir_peer as)
{
	struct object o = { MP_OBJ_SECTION, list->name };
	struct model_box *b = &k->m->box;

	check_not_empty(k, list, (struct object){ MP_OBJ_BOX, "" }, NO_HINT);
	for (const struct ast_node *c = NULL; (c = list_next(k, list, c, AST_STRING, o)) != NULL;) {
		b->peers[b->n_peers] = as;
		if (peer(k, c, o, &b->peers[b->n_peers]))
			b->n_peers++;
	}
	/* If two sources differ, nobody can tell which of them is wrong, and chrony might follow
	 * that one. */
	if (as.use == PEER_TIME && list->n == 2)
		check_hinted(k, SEV_ERROR, "policy.time", list, MP_TIME_TWO, o, "", MP_HINT_TIME_TWO);
}

/* ---- servers --------------------------------------------------------------------------------- */

/* A server that is being read: its keys' nodes, and the peer that it becomes. */
struct server {
	const struct ast_node *group, **v;
	struct object o;
	struct ir_peer *p;
};

/* Whether the peer may be kept. For MISFIT its address is still checked; for UNFIT it is not. */
enum fit { FIT, MISFIT, UNFIT };

/* Reads the server's identity: the name in its certificate, and the authority that signs it. Only
 * records may go to a server without one. */
static void identity(struct check *k, const struct server *s, const struct ast_node *name, const struct ast_node *ca)
{
	if (s->p->use != PEER_LOG && (name == NULL || ca == NULL))
		return; /* reported as missing */
	if (name != NULL && !plain_server_name(name->string))
		check_hinted(k, SEV_ERROR, "policy.value", name, MP_LOG_NAME, s->o, name->string, MP_HINT_LOG_NAME);
	if (ca != NULL && !plain_path(ca->string))
		check_hinted(k, SEV_ERROR, "policy.value", ca, MP_LOG_CA, s->o, ca->string, MP_HINT_LOG_CA);
	if ((name != NULL) != (ca != NULL))
		check_hinted(k, SEV_ERROR, "policy.value", s->group, MP_LOG_HALF, s->o, name != NULL ? "ca" : "name",
			     MP_HINT_LOG_HALF);
	if (name != NULL && ca != NULL) {
		s->p->name = name->string;
		s->p->ca = ca->string;
	}
}

/* Reads a text that must have a form of wire/plain.h. False after reporting an error, and if there
 * is none. */
static bool formed(struct check *k, const struct server *s, const struct ast_node *v, bool (*good)(const char *),
		   enum message m, enum message hint, const char **ret)
{
	if (v == NULL)
		return false;
	*ret = v->string;
	if (good(v->string))
		return true;
	check_hinted(k, SEV_ERROR, "policy.value", v, m, s->o, v->string, hint);
	return false;
}

/* A single word in another program's configuration. */
static bool word(struct check *k, const struct server *s, const struct ast_node *v, const char **ret)
{
	return formed(k, s, v, plain_word, MP_UPS_WORD, MP_HINT_UPS_WORD, ret);
}

static bool mailbox(struct check *k, const struct server *s, const struct ast_node *v, const char **ret)
{
	return formed(k, s, v, plain_mailbox, MP_MAIL_ADDRESS, MP_HINT_MAIL_ADDRESS, ret);
}

static enum fit log_server(struct check *k, struct server *s)
{
	if (s->p->port == 0)
		s->p->port = s->p->relp ? RELP_PORT : LOG_PORT;
	identity(k, s, s->v[LOG_NAME], s->v[LOG_CA]);
	return FIT;
}

static enum fit update_server(struct check *k, struct server *s)
{
	identity(k, s, s->v[UPDATE_NAME], s->v[UPDATE_CA]);
	return FIT;
}

static enum fit ups_server(struct check *k, struct server *s)
{
	/* Checks each, so that every error is reported. */
	bool named = word(k, s, s->v[UPS_NAME], &s->p->name), user = word(k, s, s->v[UPS_USER], &s->p->user);

	return named && user ? FIT : MISFIT;
}

/* All recipients as one text, separated by blanks; NULL after reporting an error. */
static const char *recipients(struct check *k, const struct server *s, const struct ast_node *list)
{
	char *text = arena_array(k->a, list->n * (PLAIN_MAILBOX_MAX + 1) + 1, 1), *at = text;
	bool good = text != NULL;
	const char *one;

	check_not_empty(k, list, s->o, NO_HINT);
	for (const struct ast_node *c = NULL; good && (c = list_next(k, list, c, AST_STRING, s->o)) != NULL;) {
		good = mailbox(k, s, c, &one);
		if (good)
			at += sprintf(at, "%s%s", at == text ? "" : " ", one);
	}
	return good && at > text ? text : NULL;
}

static enum fit mail_server(struct check *k, struct server *s)
{
	const struct ast_node *to = s->v[MAIL_TO];

	identity(k, s, s->v[MAIL_NAME], s->v[MAIL_CA]);
	if ((s->v[MAIL_USER] != NULL && !word(k, s, s->v[MAIL_USER], &s->p->user)) ||
	    !check_fits(k, to, PLAIN_MAILBOXES_MAX, (struct object){ MP_OBJ_BOX, "" }) || to == NULL ||
	    !mailbox(k, s, s->v[MAIL_FROM], &s->p->from))
		return UNFIT;
	s->p->to = recipients(k, s, to);
	return s->p->to != NULL ? FIT : UNFIT;
}

static enum fit snmp_receiver(struct check *k, struct server *s)
{
	return formed(k, s, s->v[SNMP_USER], plain_security_name, MP_SNMP_USER, MP_HINT_SNMP_USER, &s->p->user)
		       ? FIT
		       : MISFIT;
}

static enum fit backup_server(struct check *k, struct server *s)
{
	identity(k, s, s->v[BACKUP_NAME], s->v[BACKUP_CA]);
	if (s->v[BACKUP_USER] != NULL && !word(k, s, s->v[BACKUP_USER], &s->p->user))
		return UNFIT;
	return formed(k, s, s->v[BACKUP_FOLDER], plain_path, MP_BACKUP_FOLDER, MP_HINT_BACKUP_FOLDER, &s->p->to)
		       ? FIT
		       : UNFIT;
}

/* What box.cfg may say of peers, in the order of PEER_NODES. A list of hosts has no keys. */
static const struct peer_kind {
	enum peer_use use;
	uint8_t l4proto;
	uint16_t port;
	size_t most; /* hosts; 1: a server */
	const struct key *keys;
	size_t n_keys;
	enum fit (*read)(struct check *k, struct server *s);
} kinds[PEER_NODES] = {
	{ PEER_TIME, IPPROTO_UDP, TIME_PORT, TIME_SOURCES_MAX, NULL, 0, NULL },
	{ PEER_LOG, IPPROTO_TCP, 0, 1, log_keys, KEYS(log_keys), log_server },
	{ PEER_UPS, IPPROTO_TCP, UPS_PORT, 1, ups_keys, KEYS(ups_keys), ups_server },
	{ PEER_TERMINAL, IPPROTO_TCP, MANAGEMENT_PORT, TERMINALS_MAX, NULL, 0, NULL },
	{ PEER_UPDATE, IPPROTO_TCP, HTTPS_PORT, 1, update_keys, KEYS(update_keys), update_server },
	{ PEER_MAIL, IPPROTO_TCP, MAIL_PORT, 1, mail_keys, KEYS(mail_keys), mail_server },
	{ PEER_SNMP, IPPROTO_UDP, SNMP_PORT, 1, snmp_keys, KEYS(snmp_keys), snmp_receiver },
	{ PEER_BACKUP, IPPROTO_TCP, HTTPS_PORT, 1, backup_keys, KEYS(backup_keys), backup_server },
};

static void server(struct check *k, const struct ast_node *group, const struct peer_kind *kind, struct ir_peer as)
{
	const struct ast_node *v[KEYS_MAX];
	struct ir_peer *p = &k->m->box.peers[k->m->box.n_peers];
	struct server s = { group, v, { MP_OBJ_SECTION, group->name }, p };
	enum fit fit;

	*p = as;
	if (!keys_read(k, group, kind->keys, kind->n_keys, s.o, p, v))
		return;
	fit = kind->read(k, &s);
	if (fit != UNFIT && v[0] != NULL && peer(k, v[0], s.o, p) && fit == FIT)
		k->m->box.n_peers++;
}

void check_peers(struct check *k, const struct ast_node *const nodes[PEER_NODES])
{
	struct model_box *b = &k->m->box;
	bool fits[PEER_NODES];
	size_t n = 0;

	for (size_t i = 0; i < PEER_NODES; i++) {
		fits[i] = nodes[i] != NULL && (kinds[i].keys != NULL || check_fits(k, nodes[i], kinds[i].most,
										   (struct object){ MP_OBJ_BOX, "" }));
		n += !fits[i] ? 0 : kinds[i].keys != NULL ? 1 : nodes[i]->n;
	}
	b->peers = arena_array(k->a, n, sizeof(*b->peers));
	for (size_t i = 0; i < PEER_NODES && b->peers != NULL; i++) {
		/* a peer that has no texts and no address yet */
		struct ir_peer as = { .use = (uint8_t)kinds[i].use,
				      .l4proto = kinds[i].l4proto,
				      .port = kinds[i].port,
				      .name = "",
				      .ca = "",
				      .user = "",
				      .from = "",
				      .to = "",
				      .power_off = kinds[i].use == PEER_UPS };

		if (fits[i] && kinds[i].keys != NULL)
			server(k, nodes[i], &kinds[i], as);
		else if (fits[i])
			hosts(k, nodes[i], as);
	}
}
