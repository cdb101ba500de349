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

enum { LOG_ADDRESS, LOG_NAME, LOG_CA };
static const struct key log_keys[] = {
	[LOG_ADDRESS] = { "address", AST_STRING, true, .example = "address = \"10.99.0.9\";" },
	[LOG_NAME] = { "name", .kinds = AST_STRING },
	[LOG_CA] = { "ca", .kinds = AST_STRING },
	{ "transport", AST_STRING, .use = KEY_CHOICE, INTO(model_peer, relp), .words = log_transport_words },
	{ "format", AST_STRING, .use = KEY_CHOICE, INTO(model_peer, eve), .words = log_format_words },
	{ "port", AST_NUMBER, .use = KEY_NUMBER, INTO(model_peer, port), .lo = 1, .hi = UINT16_MAX },
};

/* An update is signed; the server is authenticated all the same, so that nobody on the way chooses
 * which update is offered. */
enum { UPDATE_ADDRESS, UPDATE_NAME, UPDATE_CA };
static const struct key update_keys[] = {
	[UPDATE_ADDRESS] = { "address", AST_STRING, true, .example = "address = \"10.99.0.8\";" },
	[UPDATE_NAME] = { "name", AST_STRING, true, .example = "name = \"updates.example.jp\";" },
	[UPDATE_CA] = { "ca", AST_STRING, true, .example = "ca = \"/etc/sekisho/update-ca.pem\";" },
	{ "port", AST_NUMBER, .use = KEY_NUMBER, INTO(model_peer, port), .lo = 1, .hi = UINT16_MAX },
};

enum { UPS_ADDRESS, UPS_NAME, UPS_USER };
static const struct key ups_keys[] = {
	[UPS_ADDRESS] = { "address", AST_STRING, true, .example = "address = \"10.99.0.7\";" },
	[UPS_NAME] = { "name", AST_STRING, true, .example = "name = \"ups\";" },
	[UPS_USER] = { "user", AST_STRING, true, .example = "user = \"sekisho\";" },
	{ "port", AST_NUMBER, .use = KEY_NUMBER, INTO(model_peer, port), .lo = 1, .hi = UINT16_MAX },
	{ "on_low", AST_STRING, .use = KEY_CHOICE, INTO(model_peer, power_off), .words = on_low_words },
};

enum { MAIL_ADDRESS, MAIL_NAME, MAIL_CA, MAIL_FROM, MAIL_TO, MAIL_USER };
static const struct key mail_keys[] = {
	[MAIL_ADDRESS] = { "address", AST_STRING, true, .example = "address = \"10.99.0.25\";" },
	[MAIL_NAME] = { "name", AST_STRING, true, .example = "name = \"mail.example.jp\";" },
	[MAIL_CA] = { "ca", AST_STRING, true, .example = "ca = \"/etc/sekisho/mail-ca.pem\";" },
	[MAIL_FROM] = { "from", AST_STRING, true, .example = "from = \"sekisho@example.jp\";" },
	[MAIL_TO] = { "to", AST_LISTS, true, .example = "to = [\"terminal-it@example.jp\"];" },
	[MAIL_USER] = { "user", .kinds = AST_STRING },
	{ "port", AST_NUMBER, .use = KEY_NUMBER, INTO(model_peer, port), .lo = 1, .hi = UINT16_MAX },
};

/* Informs are always authenticated and encrypted, so only the receiver can be chosen. */
enum { SNMP_ADDRESS, SNMP_USER };
static const struct key snmp_keys[] = {
	[SNMP_ADDRESS] = { "address", AST_STRING, true, .example = "address = \"10.99.0.30\";" },
	[SNMP_USER] = { "user", AST_STRING, true, .example = "user = \"sekisho\";" },
	{ "port", AST_NUMBER, .use = KEY_NUMBER, INTO(model_peer, port), .lo = 1, .hi = UINT16_MAX },
};

/* A backup is encrypted. The server is authenticated all the same, because nobody else may learn
 * how much the box has and how often that changes. */
enum { BACKUP_ADDRESS, BACKUP_NAME, BACKUP_CA, BACKUP_FOLDER, BACKUP_USER };
static const struct key backup_keys[] = {
	[BACKUP_ADDRESS] = { "address", AST_STRING, true, .example = "address = \"10.99.0.31\";" },
	[BACKUP_NAME] = { "name", AST_STRING, true, .example = "name = \"nas.example.jp\";" },
	[BACKUP_CA] = { "ca", AST_STRING, true, .example = "ca = \"/etc/sekisho/backup-ca.pem\";" },
	[BACKUP_FOLDER] = { "folder", AST_STRING, true, .example = "folder = \"/backups/kita\";" },
	[BACKUP_USER] = { "user", .kinds = AST_STRING },
	{ "port", AST_NUMBER, .use = KEY_NUMBER, INTO(model_peer, port), .lo = 1, .hi = UINT16_MAX },
};

#define SERVERS 6u /* at most one each of log, UPS, update, mail, SNMP, backup */

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
static bool peer(struct check *k, const struct ast_node *node, struct object o, struct model_peer *p)
{
	const struct model_box *b = &k->m->box;

	p->at = node->value_at;
	if (!addr_parse(node->string, &p->address) || !is_host(&p->address) || is_of_a_link(&p->address)) {
		diag_hint(k->d, check_value(k, SEV_ERROR, "policy.address", node, MP_PEER_BAD, o, node->string),
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
		diag_hint(k->d, check_value(k, SEV_ERROR, "policy.peer", node, MP_PEER_UNREACHED, o, node->string),
			  MP_HINT_PEER_UNREACHED);
	else
		return true;
	return false;
}

/* A peer without texts and address. */
static struct model_peer peer_new(enum peer_use use, uint8_t l4proto, uint16_t port)
{
	return (struct model_peer){
		.use = use, .l4proto = l4proto, .port = port, .name = "", .ca = "", .user = "", .from = "", .to = ""
	};
}

/* Addresses of hosts; each gets the properties in `as`. */
static void hosts(struct check *k, const struct ast_node *list, const char *key, struct model_peer as)
{
	struct object o = { MP_OBJ_SECTION, key };
	struct model_box *b = &k->m->box;

	if (list->n == 0)
		check_value(k, SEV_ERROR, "policy.empty_list", list, MP_EMPTY_LIST, (struct object){ MP_OBJ_BOX, "" },
			    key);
	for (const struct ast_node *c = NULL; (c = list_next(k, list, c, AST_STRING, o)) != NULL;) {
		b->peers[b->n_peers] = as;
		if (peer(k, c, o, &b->peers[b->n_peers]))
			b->n_peers++;
	}
}

static void time_sources(struct check *k, const struct ast_node *list)
{
	struct object o = { MP_OBJ_SECTION, "time" };

	hosts(k, list, "time", peer_new(PEER_TIME, IPPROTO_UDP, TIME_PORT));
	/* When two sources differ, neither can be believed, and chrony would follow either. */
	if (list->n == 2)
		diag_hint(k->d, check_value(k, SEV_ERROR, "policy.time", list, MP_TIME_TWO, o, ""), MP_HINT_TIME_TWO);
}

/* Reads the server's identity: the name in its certificate, and the authority that signs it. */
static void identity(struct check *k, const struct ast_node *name, const struct ast_node *ca,
		     const struct ast_node *group, struct object o, struct model_peer *p)
{
	if (name != NULL && !plain_server_name(name->string))
		diag_hint(k->d, check_value(k, SEV_ERROR, "policy.value", name, MP_LOG_NAME, o, name->string),
			  MP_HINT_LOG_NAME);
	if (ca != NULL && !plain_path(ca->string))
		diag_hint(k->d, check_value(k, SEV_ERROR, "policy.value", ca, MP_LOG_CA, o, ca->string),
			  MP_HINT_LOG_CA);
	if ((name != NULL) != (ca != NULL))
		diag_hint(
			k->d,
			check_value(k, SEV_ERROR, "policy.value", group, MP_LOG_HALF, o, name != NULL ? "ca" : "name"),
			MP_HINT_LOG_HALF);
	if (name != NULL && ca != NULL) {
		p->name = name->string;
		p->ca = ca->string;
	}
}

static void log_server(struct check *k, const struct ast_node *group)
{
	struct object o = { MP_OBJ_SECTION, "log_server" };
	struct model_peer *p = &k->m->box.peers[k->m->box.n_peers];
	const struct ast_node *v[KEYS(log_keys)];

	*p = peer_new(PEER_LOG, IPPROTO_TCP, 0);
	if (!keys_read(k, group, log_keys, KEYS(log_keys), o, p, v))
		return;
	if (p->port == 0)
		p->port = p->relp ? RELP_PORT : LOG_PORT;
	identity(k, v[LOG_NAME], v[LOG_CA], group, o, p);
	if (v[LOG_ADDRESS] != NULL && peer(k, v[LOG_ADDRESS], o, p))
		k->m->box.n_peers++;
}

static void update_server(struct check *k, const struct ast_node *group)
{
	struct object o = { MP_OBJ_SECTION, "update_server" };
	struct model_peer *p = &k->m->box.peers[k->m->box.n_peers];
	const struct ast_node *v[KEYS(update_keys)];

	*p = peer_new(PEER_UPDATE, IPPROTO_TCP, HTTPS_PORT);
	if (!keys_read(k, group, update_keys, KEYS(update_keys), o, p, v))
		return;
	if (v[UPDATE_NAME] != NULL && v[UPDATE_CA] != NULL)
		identity(k, v[UPDATE_NAME], v[UPDATE_CA], group, o, p);
	if (v[UPDATE_ADDRESS] != NULL && peer(k, v[UPDATE_ADDRESS], o, p))
		k->m->box.n_peers++;
}

/* Reads a text that must be a single word in another program's configuration. */
static bool word(struct check *k, const struct ast_node *v, struct object o, const char **ret)
{
	if (v == NULL)
		return false;
	*ret = v->string;
	if (plain_word(v->string))
		return true;
	diag_hint(k->d, check_value(k, SEV_ERROR, "policy.value", v, MP_UPS_WORD, o, v->string), MP_HINT_UPS_WORD);
	return false;
}

static void ups_server(struct check *k, const struct ast_node *group)
{
	struct object o = { MP_OBJ_SECTION, "ups" };
	struct model_peer *p = &k->m->box.peers[k->m->box.n_peers];
	const struct ast_node *v[KEYS(ups_keys)];
	bool named, user;

	*p = peer_new(PEER_UPS, IPPROTO_TCP, UPS_PORT);
	p->power_off = true;
	if (!keys_read(k, group, ups_keys, KEYS(ups_keys), o, p, v))
		return;
	/* Checks each, so that every error is reported. */
	named = word(k, v[UPS_NAME], o, &p->name);
	user = word(k, v[UPS_USER], o, &p->user);
	if (v[UPS_ADDRESS] != NULL && peer(k, v[UPS_ADDRESS], o, p) && named && user)
		k->m->box.n_peers++;
}

/* The list; NULL when there is none or it is too long. */
static const struct ast_node *bounded(struct check *k, const struct ast_node *list, const char *key, size_t most)
{
	if (list == NULL || list->n <= most)
		return list;
	check_value(k, SEV_ERROR, "policy.too_large", list, MP_LIST_LONG, (struct object){ MP_OBJ_BOX, "" }, key);
	return NULL;
}

/* Checks a mail address. False after reporting an error. */
static bool mailbox(struct check *k, const struct ast_node *v, struct object o)
{
	if (plain_mailbox(v->string))
		return true;
	diag_hint(k->d, check_value(k, SEV_ERROR, "policy.value", v, MP_MAIL_ADDRESS, o, v->string),
		  MP_HINT_MAIL_ADDRESS);
	return false;
}

/* All recipients as one text, separated by blanks; NULL after reporting an error. */
static const char *recipients(struct check *k, const struct ast_node *list, struct object o)
{
	char *text = arena_array(k->a, list->n * (PLAIN_MAILBOX_MAX + 1) + 1, 1), *at = text;
	bool good = text != NULL;

	if (list->n == 0)
		check_value(k, SEV_ERROR, "policy.empty_list", list, MP_EMPTY_LIST, o, "to");
	for (const struct ast_node *c = NULL; good && (c = list_next(k, list, c, AST_STRING, o)) != NULL;) {
		good = mailbox(k, c, o);
		if (good)
			at += sprintf(at, "%s%s", at == text ? "" : " ", c->string);
	}
	return good && at > text ? text : NULL;
}

static void mail_server(struct check *k, const struct ast_node *group)
{
	struct object o = { MP_OBJ_SECTION, "mail_server" };
	struct model_peer *p = &k->m->box.peers[k->m->box.n_peers];
	const struct ast_node *v[KEYS(mail_keys)];

	*p = peer_new(PEER_MAIL, IPPROTO_TCP, MAIL_PORT);
	if (!keys_read(k, group, mail_keys, KEYS(mail_keys), o, p, v))
		return;
	if (v[MAIL_NAME] != NULL && v[MAIL_CA] != NULL)
		identity(k, v[MAIL_NAME], v[MAIL_CA], group, o, p);
	if (v[MAIL_USER] != NULL && !word(k, v[MAIL_USER], o, &p->user))
		return;
	if (v[MAIL_TO] != NULL && bounded(k, v[MAIL_TO], "to", PLAIN_MAILBOXES_MAX) == NULL)
		return;
	if (v[MAIL_FROM] == NULL || v[MAIL_TO] == NULL || !mailbox(k, v[MAIL_FROM], o))
		return;
	p->from = v[MAIL_FROM]->string;
	p->to = recipients(k, v[MAIL_TO], o);
	if (p->to != NULL && v[MAIL_ADDRESS] != NULL && peer(k, v[MAIL_ADDRESS], o, p))
		k->m->box.n_peers++;
}

/* A user name of USM has at most 32 octets: RFC 3414, 5. False after reporting an error. */
static bool security_name(struct check *k, const struct ast_node *v, struct object o, const char **ret)
{
	if (v == NULL)
		return false;
	*ret = v->string;
	if (plain_security_name(v->string))
		return true;
	diag_hint(k->d, check_value(k, SEV_ERROR, "policy.value", v, MP_SNMP_USER, o, v->string), MP_HINT_SNMP_USER);
	return false;
}

static void snmp_receiver(struct check *k, const struct ast_node *group)
{
	struct object o = { MP_OBJ_SECTION, "snmp_receiver" };
	struct model_peer *p = &k->m->box.peers[k->m->box.n_peers];
	const struct ast_node *v[KEYS(snmp_keys)];
	bool named;

	*p = peer_new(PEER_SNMP, IPPROTO_UDP, SNMP_PORT);
	if (!keys_read(k, group, snmp_keys, KEYS(snmp_keys), o, p, v))
		return;
	named = security_name(k, v[SNMP_USER], o, &p->user);
	if (v[SNMP_ADDRESS] != NULL && peer(k, v[SNMP_ADDRESS], o, p) && named)
		k->m->box.n_peers++;
}

static void backup_server(struct check *k, const struct ast_node *group)
{
	struct object o = { MP_OBJ_SECTION, "backup_server" };
	struct model_peer *p = &k->m->box.peers[k->m->box.n_peers];
	const struct ast_node *v[KEYS(backup_keys)], *folder;

	*p = peer_new(PEER_BACKUP, IPPROTO_TCP, HTTPS_PORT);
	if (!keys_read(k, group, backup_keys, KEYS(backup_keys), o, p, v))
		return;
	if (v[BACKUP_NAME] != NULL && v[BACKUP_CA] != NULL)
		identity(k, v[BACKUP_NAME], v[BACKUP_CA], group, o, p);
	if (v[BACKUP_USER] != NULL && !word(k, v[BACKUP_USER], o, &p->user))
		return;
	folder = v[BACKUP_FOLDER];
	if (folder == NULL)
		return;
	p->to = folder->string;
	if (!plain_path(p->to))
		diag_hint(k->d, check_value(k, SEV_ERROR, "policy.value", folder, MP_BACKUP_FOLDER, o, p->to),
			  MP_HINT_BACKUP_FOLDER);
	else if (v[BACKUP_ADDRESS] != NULL && peer(k, v[BACKUP_ADDRESS], o, p))
		k->m->box.n_peers++;
}

void check_peers(struct check *k, const struct peer_nodes *n)
{
	struct model_box *b = &k->m->box;
	const struct ast_node *time = bounded(k, n->time, "time", TIME_SOURCES_MAX);
	const struct ast_node *terminals = bounded(k, n->terminals, "terminals", TERMINALS_MAX);

	b->peers = arena_array(k->a, (time != NULL ? time->n : 0) + SERVERS + (terminals != NULL ? terminals->n : 0),
			       sizeof(*b->peers));
	if (b->peers == NULL)
		return;
	if (time != NULL)
		time_sources(k, time);
	if (n->log != NULL)
		log_server(k, n->log);
	if (n->ups != NULL)
		ups_server(k, n->ups);
	if (terminals != NULL)
		hosts(k, terminals, "terminals", peer_new(PEER_TERMINAL, IPPROTO_TCP, MANAGEMENT_PORT));
	if (n->update != NULL)
		update_server(k, n->update);
	if (n->mail != NULL)
		mail_server(k, n->mail);
	if (n->snmp != NULL)
		snmp_receiver(k, n->snmp);
	if (n->backup != NULL)
		backup_server(k, n->backup);
}
