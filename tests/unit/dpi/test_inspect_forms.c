/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The beginnings of sessions of every protocol on a lane for naming: each is confirmed however it
 * is cut, and under no other protocol's name.
 *
 * LINK: $(INSPECT_PARTS)
 * LIBS: libndpi nettle
 */
#include "tests/unit/cmocka.h"

#include "tests/unit/dpi/inspect_setup.h"

#define STEPS 5

struct step {
	enum direction dir;
	size_t n;
	const char *bytes;
};

#define C(text)                                                                                                        \
	{                                                                                                              \
		DIR_C2S, sizeof(text) - 1, text                                                                        \
	}
#define S(text)                                                                                                        \
	{                                                                                                              \
		DIR_S2C, sizeof(text) - 1, text                                                                        \
	}

/* The beginning of a session. It must be confirmed with the last byte of the last step at the
 * latest. */
struct beginning {
	enum protocol protocol;
	struct step steps[STEPS];
};

#define SMB2 "\xfeSMB\x40\0\0\0\0\0\0\0\0\0\x1f\0"
#define SMB1                                                                                                           \
	"\xffSMB\x72\0\0\0\0\x18\x53\xc8\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\xff\xfe\0\0\0\0\0\x22\0\2NT LM 0.12\0\2SMB "    \
	"2.???\0"
#define MYSQL                                                                                                          \
	"\x4a\0\0\0\x0a"                                                                                               \
	"8.0.36\0\x0b\0\0\0abcdefgh\0"
#define LOGIN "\xb6\0\0\1\x85\xa2\xbf\1\0\0\0\1\x2d\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0root\0"
#define X224 "\3\0\0\x0b\6\xe0\0\0\0\0\0"

static const struct beginning beginnings[] = {
	{ PROTO_SSH, { S("SSH-2.0-dropbear\r\n"), C("SSH-2.0-x\r\n") } },
	{ PROTO_SSH, { C("SSH-2.0-x\r\n") } },
	{ PROTO_SSH, { S("staff only\r\n--\r\n"), S("SSH-2.0-x\r\n"), C("SSH-2.0-x\r\n") } },
	{ PROTO_SSH, { S("staff only\r\n--\r\n"), C("SSH-2.0-x\r\n"), S("\r\nSSH-2.0-x\r\n") } },
	{ PROTO_HTTP, { C("REPORT /dav HTTP/1.1\r\nHost: a\r\n\r\n") } },
	{ PROTO_HTTP, { C("M-SEARCH * HTTP/1.1\r\nHost: a\r\n\r\n") } },
	{ PROTO_HTTP,
	  { S("\0\0\x12\4\0\0\0\0\0\0\3\0\0\0\x64\0\4\0\1\0\0\0\5\0\0\x40\0"),
	    C("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") } },
	{ PROTO_POSTGRESQL, { C("\0\0\0\x08\4\xd2\x16\x2f") } },
	{ PROTO_DNS, { C("\0\x1d\x12\x34\0\0\0\1\0\0\0\1\0\0\3www\7example\0\0\xfb\0\1") } },
	{ PROTO_RDP, { C("\3\0\0\x13\x0e\xe0\0\0\0\0\0\1\0\x08\0\3\0\0\0") } },
	{ PROTO_RDP, { C("\3\0\0\x2b\x26\xe0\0\0\0\0\0Cookie: mstshash=eltons\r\n\1\0\x08\0\0\0\0\0") } },
	{ PROTO_RDP, { C(X224), S("\3\0\0\x0b\6\xd0\0\0\x12\x34\0"), C("\3\0\1\x9c\2\xf0\x80\x7f\x65\x82\1\x90") } },
	{ PROTO_SMB, { C("\0\0\0\x6c" SMB2 "\0\0\0\0\0\0\0\0") } },
	{ PROTO_SMB, { C("\0\0\0\x45" SMB1), S("\0\0\1\x10" SMB2 "\1\0\0\0\0\0\0\0") } },
	{ PROTO_NETBIOS,
	  { C("\x81\0\0\x44\x20"
	      "EEEBFEEFFCFACACACACACACACACACACA\0") } },
	{ PROTO_FTP, { S("220 (vsFTPd 3.0.3)\r\n"), C("USER x\r\n") } },
	{ PROTO_FTP, { S("220-Welcome to\r\n the plant\r\n220 ready\r\n"), C("AUTH TLS\r\n") } },
	{ PROTO_FTP, { S("120 soon\r\n"), S("220 now\r\n"), C("FEAT\r\n") } },
	{ PROTO_SMTP, { S("220 mail ESMTP\r\n"), C("EHLO tos.example\r\n") } },
	{ PROTO_SMTP, { S("220-mail\r\n220 ESMTP\r\n"), C("HELO tos\r\n") } },
	{ PROTO_POP3, { S("+OK ready\r\n"), C("CAPA\r\n") } },
	{ PROTO_IMAP, { S("* OK ready\r\n"), C("a1 CAPABILITY\r\n") } },
	{ PROTO_IMAP, { S("* PREAUTH ready\r\n"), C("1 SELECT inbox\r\n") } },
	{ PROTO_TELNET, { C("\xff\xfd\3\xff\xfb\x18") } },
	{ PROTO_TELNET, { S("\xff\xfd\x18\xff\xfd\x20"), C("\xff\xfb\x18") } },
	{ PROTO_TELNET, { S("\r\nWelcome\r\nlogin: "), C("root\r\n") } },
	{ PROTO_TELNET, { S("\r\nWelcome\r\nlogin: "), C("\xff\xfd\3") } },
	{ PROTO_RTSP, { C("OPTIONS rtsp://10.1.1.1/cam RTSP/1.0\r\nCSeq: 1\r\n\r\n") } },
	{ PROTO_SYSLOG, { C("<13>Oct 11 22:14:15 tos su: x\n") } },
	{ PROTO_SYSLOG, { C("35 <165>1 - tos su - - - something") } },
	{ PROTO_MQTT, { C("\x10\x13\0\4MQTT\4\2\0\x3c\0\7crane-1") } },
	{ PROTO_MYSQL, { S(MYSQL), C(LOGIN) } },
	{ PROTO_LDAP,
	  { C("\x30\x1c\2\1\1\x60\x17\2\1\3\4\x0a"
	      "cn=manager\x80\6secret") } },
	{ PROTO_KERBEROS, { C("\0\0\0\x10\x6a\x0e\x30\x0c\xa1\3\2\1\5\xa2\3\2\1\x0a\xa3\0") } },
	{ PROTO_MSSQL, { C("\x12\1\0\x2f\0\0\1\0\0\0\x1a\0\6\1\0\x20\0\1") } },
	{ PROTO_ORACLE, { C("\0\xe9\0\0\1\0\0\0\1\x3a\1\x2c\x0c\x41\x20\0\xff\xff\x7f\x08\0\0\1\0\0\xa3\0\x46") } },
	{ PROTO_VNC, { S("RFB 003.008\n"), C("RFB 003.008\n") } },
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void promise(enum protocol p)
{
	uint8_t digest[32], *image;
	size_t n;

	desk_one = p;
	image = desk_image(1, &n);
	assert_true(inspector_table(desk_i, bytes_of(image, n), digest));
	free(image);
}

/* Plays the steps; returns the last outcome, or the first outcome that refuses. The first `cut`
 * bytes of a step come in their own segment. */
static unsigned play(const struct beginning *b, size_t step, size_t cut)
{
	struct conn k = desk_conn(P_ONE);
	unsigned o = desk_handshake(&k);

	for (size_t i = 0; i < STEPS && b->steps[i].n > 0; i++) {
		const struct step *s = &b->steps[i];
		size_t first = i == step ? cut : 0;

		if (first > 0)
			o = desk_send(&k, s->dir, s->bytes, first);
		if (o == OUTCOME_DROP)
			return o;
		if (first < s->n)
			o = desk_send(&k, s->dir, s->bytes + first, s->n - first);
		if (o == OUTCOME_DROP)
			return o;
	}
	return o;
}

static void confirmed_at_every_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(beginnings); i++) {
		const struct beginning *b = &beginnings[i];

		promise(b->protocol);
		for (size_t step = 0; step < STEPS && b->steps[step].n > 0; step++)
			for (size_t cut = 0; cut < b->steps[step].n; cut++)
				if (play(b, step, cut) != OUTCOME_CONFIRMED)
					fail_msg("beginning %zu (%s), step %zu cut at %zu", i,
						 protocol_info(b->protocol)->name, step, cut);
	}
	assert_int_equal(desk.n_resets, 0);
}

/* A byte at a time. */
static void confirmed_in_single_bytes(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(beginnings); i++) {
		const struct beginning *b = &beginnings[i];
		struct conn k = desk_conn(P_ONE);
		unsigned o = 0;

		promise(b->protocol);
		desk_handshake(&k);
		for (size_t step = 0; step < STEPS && b->steps[step].n > 0; step++)
			for (size_t n = 0; n < b->steps[step].n; n++)
				o = desk_send(&k, b->steps[step].dir, b->steps[step].bytes + n, 1);
		if (o != OUTCOME_CONFIRMED)
			fail_msg("beginning %zu (%s)", i, protocol_info(b->protocol)->name);
	}
}

/* If another protocol is promised, the session is refused, with its last step at the latest; except
 * for beginnings that fit two protocols. */
static void refused_as_any_other(void **state)
{
	(void)state;
	for (unsigned p = 1; p < PROTO_COUNT; p++) {
		enum protocol other = (enum protocol)p;

		if (protocol_info(other)->depth != DEPTH_RECOGNISED ||
		    (protocol_info(other)->transports & TRANSPORT_TCP) == 0)
			continue;
		promise(other);
		for (size_t i = 0; i < COUNT(beginnings); i++) {
			const struct beginning *b = &beginnings[i];

			/* A few bytes of text without an end may still become a line of a terminal
			 * session. */
			unsigned o = play(b, 0, 0);

			if (b->protocol != other && o != OUTCOME_DROP &&
			    (other != PROTO_TELNET || o == OUTCOME_CONFIRMED))
				fail_msg("beginning %zu (%s) as %s", i, protocol_info(b->protocol)->name,
					 protocol_info(other)->name);
		}
	}
}

/* Clients that have to wait for a greeting and do not are refused. */
static void clients_that_do_not_wait(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(beginnings); i++) {
		const struct beginning *b = &beginnings[i];
		struct conn k = desk_conn(P_ONE);
		const struct step *last = b->steps;

		if (!protocol_is(b->protocol, PROTO_SERVER_FIRST))
			continue;
		while (last->dir == DIR_S2C)
			last++;
		promise(b->protocol);
		desk_handshake(&k);
		assert_int_equal(desk_send(&k, DIR_C2S, last->bytes, last->n), OUTCOME_DROP);
	}
}

/* For these protocols the server's answer decides. Here it is of another protocol, or never
 * comes. */
static void answers_decide(void **state)
{
	static const char line[101] =
		"0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789";
	struct conn k = desk_conn(P_ONE);

	(void)state;
	promise(PROTO_SMB);
	desk_handshake(&k);
	assert_int_equal(desk_send(&k, DIR_C2S, "\0\0\0\x45" SMB1, 4 + sizeof(SMB1) - 1), OUTCOME_ACCEPT);
	assert_int_equal(desk_send(&k, DIR_S2C, "\0\0\0\x55" SMB1, 4 + sizeof(SMB1) - 1), OUTCOME_DROP);
	k = desk_conn(P_ONE);
	desk_handshake(&k);
	assert_int_equal(desk_send(&k, DIR_C2S, "\0\0\0\x45" SMB1, 4 + sizeof(SMB1) - 1), OUTCOME_ACCEPT);
	for (unsigned n = 0; n < 9; n++)
		assert_int_equal(desk_send(&k, DIR_C2S, line, 100), OUTCOME_ACCEPT);
	assert_int_equal(desk_send(&k, DIR_C2S, line, 100), OUTCOME_DROP);
	/* The client speaks SSH, and the server never does. */
	promise(PROTO_SSH);
	k = desk_conn(P_ONE);
	desk_handshake(&k);
	assert_int_equal(desk_text(&k, DIR_S2C, "220 mail ESMTP\r\n"), OUTCOME_ACCEPT);
	assert_int_equal(desk_text(&k, DIR_C2S, "SSH-2.0-x\r\n"), OUTCOME_ACCEPT);
	assert_int_equal(desk_text(&k, DIR_S2C, "SSH-1.5-x\r\n"), OUTCOME_DROP);
	/* The client sends a line that any protocol might have, before the server has sent
	 * anything. */
	promise(PROTO_TELNET);
	k = desk_conn(P_ONE);
	desk_handshake(&k);
	assert_int_equal(desk_text(&k, DIR_C2S, "PING\r\n"), OUTCOME_DROP);
	for (unsigned i = 0; i < 2; i++) { /* syslog, whose messages may have no end */
		k = desk_conn(P_ONE);
		desk_handshake(&k);
		assert_int_equal(desk_text(&k, DIR_C2S, i == 0 ? "<13>x" : "8 <13>x y"), OUTCOME_DROP);
	}
	/* A line without the version of HTTP is not HTTP. */
	promise(PROTO_HTTP);
	k = desk_conn(P_ONE);
	desk_handshake(&k);
	assert_int_equal(desk_text(&k, DIR_C2S, "PLAY /a"), OUTCOME_ACCEPT);
	assert_int_equal(desk_text(&k, DIR_C2S, " RTSP/1.0\r\n\r\n"), OUTCOME_DROP);
}

/* A text file passes as a greeting that nobody has answered yet, but only for a short time. */
static void greetings_end(void **state)
{
	static const enum protocol greets[] = { PROTO_TELNET, PROTO_SSH, PROTO_FTP };
	uint8_t text[1024];

	(void)state;
	memset(text, '-', sizeof(text));
	for (size_t i = 0; i < COUNT(greets); i++) {
		struct conn k = desk_conn(P_ONE);

		promise(greets[i]);
		desk_handshake(&k);
		memcpy(text, greets[i] == PROTO_FTP ? "220-" : "----", 4);
		for (unsigned n = 0; n < 8; n++)
			assert_int_equal(desk_send(&k, DIR_S2C, text, sizeof(text)), OUTCOME_ACCEPT);
		assert_int_equal(desk_send(&k, DIR_S2C, text, 1), OUTCOME_DROP);
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(confirmed_at_every_cut), T(confirmed_in_single_bytes),
		T(refused_as_any_other),   T(clients_that_do_not_wait),
		T(answers_decide),	   T(greetings_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
