/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/box/beside.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "appliance/wire/plain.h"

#define HEAD "# Written by sekishod from box.cfg whenever it changes; what is changed here is lost.\n"

struct text {
	char *out;
	size_t n; /* BESIDE_TEXT: it did not fit */
};

static void add(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void add(struct text *t, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(t->out + t->n, BESIDE_TEXT - t->n, fmt, args);
	va_end(args);
	t->n = n >= 0 && (size_t)n < BESIDE_TEXT - t->n ? t->n + (size_t)n : BESIDE_TEXT;
}

static int length(const struct text *t)
{
	return t->n < BESIDE_TEXT ? (int)t->n : -ENOSPC;
}

int beside_chrony(const struct ir *ir, char out[BESIDE_TEXT])
{
	struct text t = { out, 0 };
	unsigned sources = 0;

	add(&t, HEAD);
	for (uint32_t i = 0; i < ir->n_peers; i++) {
		char address[ADDR_TEXT];

		if (ir->peers[i].use != PEER_TIME)
			continue;
		addr_text(&ir->peers[i].address, address);
		add(&t, "server %s port %u iburst\n", address, (unsigned)ir->peers[i].port);
		sources++;
	}
	if (sources == 0)
		return 0;
	/* Of three, one alone is not believed while the others are silent: it may be the one that is wrong. */
	if (sources > 1)
		add(&t, "minsources 2\n");
	add(&t,
	    "# Nobody is served.\n"
	    "port 0\n"
	    "cmdport 0\n"
	    "# The first three answers may set the clock; from then on it is only led, and by no more than a minute.\n"
	    "makestep 1 3\n"
	    "maxchange 60 3 -1\n"
	    "# The kernel is told that the clock has a source, which status asks it for.\n"
	    "rtcsync\n"
	    "driftfile /var/lib/chrony/chrony.drift\n");
	return length(&t);
}

static const struct ir_peer *log_server(const struct ir *ir)
{
	for (uint32_t i = 0; i < ir->n_peers; i++)
		if (ir->peers[i].use == PEER_LOG && ir->peers[i].ca[0] != '\0')
			return &ir->peers[i];
	return NULL;
}

#define AGAIN "       action.resumeRetryCount=\"-1\" action.resumeInterval=\"1\" action.resumeIntervalMax=\"30\")\n"

/*
 * RFC 5425, with its frames of counted octets. Nobody answers a record: what a connection took is with nobody when its other end is no more. One
 * that carries nothing is asked after 10 s; one that carries something is given up as its namespace says (box/box.c).
 */
static void syslog_tls(struct text *t, const struct ir_peer *p, const char *address)
{
	add(t,
	    "action(type=\"omfwd\" target=\"%s\" port=\"%u\" protocol=\"tcp\" template=\"record\" "
	    "TCP_Framing=\"octet-counted\"\n"
	    "       streamDriver=\"gtls\" streamDriverMode=\"1\" streamDriverAuthMode=\"x509/name\" "
	    "streamDriverPermittedPeers=\"%s\"\n"
	    "       keepAlive=\"on\" keepAlive.time=\"10\" keepAlive.interval=\"5\" keepAlive.probes=\"3\"\n" AGAIN,
	    address, (unsigned)p->port, p->name);
}

/*
 * The server answers each record, and what it has not answered is sent again in the next session. As many as the window holds may count as read
 * meanwhile, which a program that ends takes with it: the next one begins as many lines earlier (images/log). Receivers built on librelp take
 * nobody who shows no certificate, so the unit has one of the box (images/systemd/sekisho-log.service).
 */
static void relp(struct text *t, const struct ir_peer *p, const char *address)
{
	add(t,
	    "module(load=\"omrelp\" tls.tlslib=\"gnutls\")\n"
	    "action(type=\"omrelp\" target=\"%s\" port=\"%u\" template=\"record\" windowSize=\"%u\" timeout=\"15\" "
	    "conn.timeout=\"10\"\n"
	    "       tls=\"on\" tls.caCert=\"%s\" tls.authMode=\"name\" tls.permittedPeer=[\"%s\"]\n"
	    "       tls.myCert=`echo $CREDENTIALS_DIRECTORY/certificate` tls.myPrivKey=`echo "
	    "$CREDENTIALS_DIRECTORY/key`\n" AGAIN,
	    address, (unsigned)p->port, BESIDE_WINDOW, p->ca, p->name);
}

/*
 * A program of ours answers each line with the same record as EVE (mgmt/eve). One that dies over a line leaves it as it is: then it is asked for by
 * another. What both leave goes as the box has it, as do lines within a second after none could be made.
 */
static void as_eve(struct text *t)
{
	static const char one[] = "action(type=\"mmexternal\" binary=`echo $SEKISHO_EVE` interface.input=\"msg\" "
				  "action.resumeInterval=\"1\")\n";

	add(t, "module(load=\"mmexternal\")\n%sif not ($msg startswith '" BESIDE_EVE "') then\n       %s", one, one);
}

int beside_rsyslog(const struct ir *ir, const char *state, char out[BESIDE_TEXT])
{
	const struct ir_peer *p = log_server(ir);
	struct text t = { out, 0 };
	char address[ADDR_TEXT];

	if (p == NULL)
		return 0;
	if (!plain_server_name(p->name) || !plain_path(p->ca) || !plain_path(state))
		return -EINVAL;
	addr_text(&p->address, address);
	add(&t, HEAD);
	/* Where it keeps how far it has read: the unit's StateDirectory=. A line of the record is at most 8 KiB (journal/chain.h); EVE says some of it twice. */
	add(&t,
	    "global(workDirectory=`echo $STATE_DIRECTORY` maxMessageSize=\"%s\"\n"
	    "       defaultNetstreamDriverCAFile=\"%s\")\n"
	    "module(load=\"imfile\")\n",
	    p->eve ? "64k" : "16k", p->ca);
	/* No queue: the record itself waits. A line counts as read when the server's connection took it, and not in batches before. How far that
	 * is it puts down behind every sixteenth line and wherever there are no more, so that whoever looks there (box/handed.h) sees when all went. */
	add(&t,
	    "main_queue(queue.type=\"Direct\")\n"
	    "input(type=\"imfile\" file=\"%s/journal/events-*.log\" tag=\"sekisho\" facility=\"local0\" "
	    "severity=\"info\"\n"
	    "      freshStartTail=\"off\" maxSubmitAtOnce=\"1\" persistStateInterval=\"16\" "
	    "persistStateAfterSubmission=\"on\")\n",
	    state);
	/* RFC 5424. */
	add(&t,
	    "template(name=\"record\" type=\"string\"\n"
	    "         string=\"<%%pri%%>1 %%timegenerated:::date-rfc3339%% %%hostname%% sekisho - - - %%msg%%\")\n");
	if (p->eve)
		as_eve(&t);
	if (p->relp)
		relp(&t, p, address);
	else
		syslog_tls(&t, p, address);
	return length(&t);
}

int beside_update(const struct ir *ir, const char *netns, char out[BESIDE_TEXT])
{
	for (uint32_t i = 0; i < ir->n_peers; i++) {
		const struct ir_peer *p = &ir->peers[i];
		struct text t = { out, 0 };
		char address[ADDR_TEXT];

		if (p->use != PEER_UPDATE)
			continue;
		if (!plain_server_name(p->name) || !plain_path(p->ca))
			return -EINVAL;
		addr_text(&p->address, address);
		add(&t, HEAD "netns %s\naddress %s\nport %u\nname %s\nca %s\n", netns, address, (unsigned)p->port,
		    p->name, p->ca);
		return length(&t);
	}
	return 0;
}

const struct ir_peer *beside_ups_server(const struct ir *ir)
{
	for (uint32_t i = 0; i < ir->n_peers; i++)
		if (ir->peers[i].use == PEER_UPS)
			return &ir->peers[i];
	return NULL;
}

const char *beside_ups_name(const struct ir_peer *p, char *out, size_t n)
{
	bool six = p->address.family == 6;
	char address[ADDR_TEXT];

	addr_text(&p->address, address);
	snprintf(out, n, "%s@%s%s%s:%u", p->name, six ? "[" : "", address, six ? "]" : "", (unsigned)p->port);
	return out;
}

int beside_ups(const struct ir *ir, char out[BESIDE_TEXT])
{
	const struct ir_peer *p = beside_ups_server(ir);
	struct text t = { out, 0 };
	char name[PLAIN_WORD_MAX + ADDR_TEXT + 16];

	if (p == NULL)
		return 0;
	if (!plain_word(p->name) || !plain_word(p->user))
		return -EINVAL;
	add(&t, HEAD "ups %s\nuser %s\n", beside_ups_name(p, name, sizeof(name)), p->user);
	/* By which of its clients the server would know us. */
	for (uint32_t i = 0; i < ir->n_interfaces; i++)
		for (uint32_t k = 0; ir->interfaces[i].admin && k < ir->interfaces[i].n_addresses; k++) {
			char own[ADDR_TEXT];

			addr_text(&ir->interfaces[i].addresses[k], own);
			add(&t, "own %s\n", own);
		}
	return length(&t);
}

const struct ir_peer *beside_mail_server(const struct ir *ir)
{
	for (uint32_t i = 0; i < ir->n_peers; i++)
		if (ir->peers[i].use == PEER_MAIL)
			return &ir->peers[i];
	return NULL;
}

int beside_mail(const struct ir *ir, enum lang lang, char out[BESIDE_TEXT])
{
	const struct ir_peer *p = beside_mail_server(ir);
	struct text t = { out, 0 };
	char address[ADDR_TEXT];

	if (p == NULL)
		return 0;
	if (!plain_server_name(p->name) || !plain_path(p->ca) || (p->user[0] != '\0' && !plain_word(p->user)) ||
	    !plain_mailbox(p->from) || !plain_mailboxes(p->to))
		return -EINVAL;
	addr_text(&p->address, address);
	add(&t, HEAD "address %s\nport %u\nname %s\nca %s\nfrom %s\nto %s\nlang %s\n", address, (unsigned)p->port,
	    p->name, p->ca, p->from, p->to, lang_name(lang));
	if (p->user[0] != '\0')
		add(&t, "user %s\n", p->user);
	return length(&t);
}

const struct ir_peer *beside_snmp_receiver(const struct ir *ir)
{
	for (uint32_t i = 0; i < ir->n_peers; i++)
		if (ir->peers[i].use == PEER_SNMP)
			return &ir->peers[i];
	return NULL;
}

int beside_snmp(const struct ir *ir, enum lang lang, char out[BESIDE_TEXT])
{
	const struct ir_peer *p = beside_snmp_receiver(ir);
	struct text t = { out, 0 };
	char address[ADDR_TEXT];

	if (p == NULL)
		return 0;
	if (!plain_security_name(p->user))
		return -EINVAL;
	addr_text(&p->address, address);
	add(&t, HEAD "address %s\nport %u\nuser %s\nlang %s\n", address, (unsigned)p->port, p->user, lang_name(lang));
	return length(&t);
}
