/* SPDX-License-Identifier: Apache-2.0 */
/* Net-SNMP's headers do not compile with our warnings. */
#include "mgmt/inform/inform.h"

#include <errno.h>
#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "appliance/base/atomic_file.h"
#include "appliance/base/clock.h"

#define TRY_US 1500000L
#define TRIES_MORE 2
/* characters; the whole message fits into a datagram of 1232 bytes, which no IPv6 link fragments
 * (RFC 8200, 5) */
#define SITE_MOST 100u
#define CODE_MOST 40u
#define TEXT_MOST 560u

#define OURS 1, 3, 6, 1, 4, 1, 8072, 9999, 9999, 1313
enum { OF_SITE = 1, OF_CODE, OF_KEY, OF_SEVERITY, OF_WHEN, OF_SENTENCE, OF_GENERATION, OF_SERIAL, OF_DROPPED };

struct informer {
	char to[ADDR_TEXT + 16], user[64];
	uint8_t engine[ENGINE_BYTES];
	u_char auth[USM_AUTH_KU_LEN], privacy[USM_AUTH_KU_LEN];
	size_t n_auth, n_privacy;
	netsnmp_session s;
	struct session_list *open;
};

/*
 * Initialises the library. Only called in the process that sends: the library then draws its first
 * message number and the start of its encryption, and two rounds with equal numbers would take each
 * other's answers. The library reads and writes no files, knows no older protocol versions, and
 * prints nothing.
 */
static void library(void)
{
	static const int yes[] = { NETSNMP_DS_LIB_DONT_READ_CONFIGS,
				   NETSNMP_DS_LIB_DONT_PERSIST_STATE,
				   NETSNMP_DS_LIB_DISABLE_PERSISTENT_LOAD,
				   NETSNMP_DS_LIB_DISABLE_PERSISTENT_SAVE,
				   NETSNMP_DS_LIB_DONT_LOAD_HOST_FILES,
				   NETSNMP_DS_LIB_DISABLE_V1,
				   NETSNMP_DS_LIB_DISABLE_V2c,
				   NETSNMP_DS_LIB_ALARM_DONT_USE_SIG };

	setenv("MIBS", "", 1);
	setenv("MIBDIRS", "/nonexistent", 1);
	setenv("SNMPCONFPATH", "/nonexistent", 1);
	setenv("SNMP_PERSISTENT_DIR", "/nonexistent", 1);
	netsnmp_register_loghandler(NETSNMP_LOGHANDLER_NONE, LOG_DEBUG);
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, yes[i], 1);
	init_snmp("sekisho-inform");
}

static bool make_key(const char *passphrase, u_char ret[USM_AUTH_KU_LEN], size_t *ret_n)
{
	size_t length = strlen(passphrase);

	*ret_n = USM_AUTH_KU_LEN;
	return length >= PASSPHRASE_LEAST &&
	       generate_Ku(usmHMAC192SHA256AuthProtocol, OID_LENGTH(usmHMAC192SHA256AuthProtocol),
			   (const u_char *)passphrase, length, ret, ret_n) == SNMPERR_SUCCESS;
}

struct informer *informer_new(const struct outlet_settings *s, const uint8_t engine[ENGINE_BYTES], const char *auth,
			      const char *privacy, struct err *e)
{
	struct informer *i = calloc(1, sizeof(*i));
	char address[ADDR_TEXT];
	bool six = s->address.family == 6;

	if (i == NULL) {
		err_set(e, -ENOMEM, "an informer");
		return NULL;
	}
	addr_text(&s->address, address);
	snprintf(i->to, sizeof(i->to), "%s:%s%s%s:%u", six ? "udp6" : "udp", six ? "[" : "", address, six ? "]" : "",
		 (unsigned)s->port);
	snprintf(i->user, sizeof(i->user), "%s", s->user);
	memcpy(i->engine, engine, ENGINE_BYTES);
	if (make_key(auth, i->auth, &i->n_auth) && make_key(privacy, i->privacy, &i->n_privacy))
		return i;
	err_set(e, -EINVAL, "keys of the passphrases, which have %u letters at least", PASSPHRASE_LEAST);
	explicit_bzero(i, sizeof(*i));
	free(i);
	return NULL;
}

static void session(struct informer *i)
{
	snmp_sess_init(&i->s);
	i->s.version = SNMP_VERSION_3;
	i->s.securityModel = SNMP_SEC_MODEL_USM;
	i->s.securityLevel = SNMP_SEC_LEVEL_AUTHPRIV;
	i->s.peername = i->to;
	i->s.securityName = i->user;
	i->s.securityNameLen = strlen(i->user);
	i->s.contextEngineID = i->engine;
	i->s.contextEngineIDLen = ENGINE_BYTES;
	i->s.timeout = TRY_US;
	i->s.retries = TRIES_MORE;
	i->s.securityAuthProto = usmHMAC192SHA256AuthProtocol;
	i->s.securityAuthProtoLen = OID_LENGTH(usmHMAC192SHA256AuthProtocol);
	i->s.securityPrivProto = usmAESPrivProtocol;
	i->s.securityPrivProtoLen = OID_LENGTH(usmAESPrivProtocol);
	memcpy(i->s.securityAuthKey, i->auth, i->n_auth);
	i->s.securityAuthKeyLen = i->n_auth;
	memcpy(i->s.securityPrivKey, i->privacy, i->n_privacy);
	i->s.securityPrivKeyLen = i->n_privacy;
}

/* Sets *e to the library's text alone, without the text of an errno. `status` shows this text. */
static bool fail_with(struct err *e, const char *why)
{
	e->code = -EIO;
	snprintf(e->text, sizeof(e->text), "%s", why);
	return false;
}

bool informer_open(struct informer *i, struct err *e)
{
	char *why = NULL;
	int system, library_s;

	library();
	session(i);
	i->open = snmp_sess_open(&i->s);
	if (i->open != NULL)
		return true;
	snmp_error(&i->s, &system, &library_s, &why);
	fail_with(e, why != NULL ? why : "no session");
	free(why);
	return false;
}

/* ---- contents of an inform ------------------------------------------------------------------- */

static bool put_variable(netsnmp_pdu *pdu, oid object, u_char type, const void *value, size_t n)
{
	const oid name[] = { OURS, 1, object, 0 };

	return snmp_pdu_add_variable(pdu, name, OID_LENGTH(name), type, value, n) != NULL;
}

/* Adds a text; one that is too long is cut between characters. */
static bool put_text(netsnmp_pdu *pdu, oid object, const char *text, size_t most)
{
	size_t n = strlen(text);

	if (n > most)
		for (n = most; n > 0 && ((uint8_t)text[n] & 0xc0) == 0x80;)
			n--;
	return put_variable(pdu, object, ASN_OCTET_STR, text, n);
}

static bool put_number(netsnmp_pdu *pdu, oid object, u_char type, uint32_t n)
{
	const long value = (long)n;

	return put_variable(pdu, object, type, &value, sizeof(value));
}

/* DateAndTime of RFC 2579; empty when unknown. */
static bool put_when(netsnmp_pdu *pdu, oid object, const char *when)
{
	struct tm t = { 0 };
	u_char at[11];
	int year;

	if (strptime(when, "%Y-%m-%dT%H:%M:%S", &t) == NULL)
		return put_variable(pdu, object, ASN_OCTET_STR, "", 0);
	year = t.tm_year + 1900;
	at[0] = (u_char)(year >> 8);
	at[1] = (u_char)year;
	at[2] = (u_char)(t.tm_mon + 1);
	at[3] = (u_char)t.tm_mday;
	at[4] = (u_char)t.tm_hour;
	at[5] = (u_char)t.tm_min;
	at[6] = (u_char)t.tm_sec;
	at[7] = 0;
	at[8] = '+';
	at[9] = at[10] = 0;
	return put_variable(pdu, object, ASN_OCTET_STR, at, sizeof(at));
}

/* The two variables at the beginning of every notification: RFC 3416, 4.2.6. */
static bool put_head(netsnmp_pdu *pdu, enum inform_what what)
{
	static const oid uptime[] = { 1, 3, 6, 1, 2, 1, 1, 3, 0 }, trap[] = { 1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0 };
	const oid notification[] = { OURS, 0, (oid)what };
	long ticks = (long)(uint32_t)(clock_boot_ns() / 10000000u);

	return snmp_pdu_add_variable(pdu, uptime, OID_LENGTH(uptime), ASN_TIMETICKS, &ticks, sizeof(ticks)) != NULL &&
	       snmp_pdu_add_variable(pdu, trap, OID_LENGTH(trap), ASN_OBJECT_ID, notification, sizeof(notification)) !=
		       NULL;
}

static netsnmp_pdu *pdu_of(const struct inform *w)
{
	netsnmp_pdu *pdu = snmp_pdu_create(SNMP_MSG_INFORM);

	if (pdu == NULL)
		return NULL;
	if (put_head(pdu, w->what) && put_text(pdu, OF_SITE, w->site, SITE_MOST) &&
	    put_text(pdu, OF_CODE, w->code, CODE_MOST) && put_text(pdu, OF_KEY, w->key, INFORM_KEY) &&
	    put_number(pdu, OF_SEVERITY, ASN_INTEGER, w->grave ? 1 : 2) && put_when(pdu, OF_WHEN, w->when) &&
	    put_text(pdu, OF_SENTENCE, w->sentence, TEXT_MOST) &&
	    put_number(pdu, OF_GENERATION, ASN_UNSIGNED, w->generation) &&
	    put_number(pdu, OF_SERIAL, ASN_UNSIGNED, w->serial) &&
	    put_number(pdu, OF_DROPPED, ASN_UNSIGNED, w->dropped))
		return pdu;
	snmp_free_pdu(pdu);
	return NULL;
}

/* Whether this is an authenticated and encrypted response to this inform. A response repeats the
 * inform's variables (RFC 3416, 4.2.7), so a recorded response to another inform has another
 * serial. */
static bool is_answer(const netsnmp_pdu *answer, const struct inform *what)
{
	const oid name[] = { OURS, 1, OF_SERIAL, 0 };

	if (answer->command != SNMP_MSG_RESPONSE || answer->errstat != SNMP_ERR_NOERROR ||
	    answer->version != SNMP_VERSION_3 || answer->securityLevel != SNMP_SEC_LEVEL_AUTHPRIV)
		return false;
	for (const netsnmp_variable_list *v = answer->variables; v != NULL; v = v->next_variable)
		if (snmp_oid_compare(v->name, v->name_length, name, OID_LENGTH(name)) == 0)
			return v->type == ASN_UNSIGNED && v->val.integer != NULL &&
			       (uint32_t)*v->val.integer == what->serial;
	return false;
}

bool informer_send(struct informer *i, const struct inform *what, struct err *e)
{
	netsnmp_pdu *pdu = pdu_of(what), *answer = NULL;
	int status, system, library_s;
	char *why = NULL;
	bool good;

	if (pdu == NULL)
		return err_set(e, -ENOMEM, "an inform") == 0;
	status = snmp_sess_synch_response(i->open, pdu, &answer);
	good = status == STAT_SUCCESS && answer != NULL && is_answer(answer, what);
	if (!good && status == STAT_SUCCESS) {
		fail_with(e, "the receiver refused it");
	} else if (!good) {
		snmp_sess_error(i->open, &system, &library_s, &why);
		fail_with(e, status == STAT_TIMEOUT ? "Timeout" : why != NULL ? why : "no answer");
		free(why);
	}
	if (answer != NULL)
		snmp_free_pdu(answer);
	return good;
}

#define FILE_NAME "engine"

/* An engine id: the first bit tells the form, then Net-SNMP's enterprise number, below which the
 * MIB is; 5: octets of our choice. */
static const uint8_t head[] = { 0x80, 0x00, 0x1f, 0x88, 0x05 };

int engine_id(int dirfd, uint8_t ret[ENGINE_BYTES], struct err *e)
{
	struct err none = { 0 };
	uint8_t *there = NULL;
	size_t n = 0;
	bool good = file_read(dirfd, FILE_NAME, ENGINE_BYTES, &there, &n, &none) == 0 && n == ENGINE_BYTES &&
		    memcmp(there, head, sizeof(head)) == 0;

	if (good)
		memcpy(ret, there, ENGINE_BYTES);
	free(there);
	if (good)
		return 0;
	memcpy(ret, head, sizeof(head));
	if (getrandom(ret + sizeof(head), ENGINE_BYTES - sizeof(head), 0) != ENGINE_BYTES - sizeof(head))
		return err_set(e, -EIO, "random bytes");
	return atomic_write(dirfd, FILE_NAME, ret, ENGINE_BYTES, e);
}
