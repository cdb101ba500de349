/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The OPC UA enforcer: start and end of sessions, channels with and without security, numbers,
 * answers, sessions met half-way, messages in pieces. Requests are in test_opcua.c.
 * LINK: $(COMMANDS_PARTS) dpi/opcua/%.c
 * LIBS: nettle
 */
#include "tests/unit/cmocka.h"

#include <string.h>

#include "tests/unit/dpi/opcua_desk.h"

#define N(list) (sizeof(list) / sizeof((list)[0]))
#define READ "0000000000000000 02000000 01000000 01026400 0d000000 ffffffff 0000ffffffff"
#define BASIC "http://opcfoundation.org/UA/SecurityPolicy#Basic256Sha256"

static struct message error(void)
{
	struct message m = message_of("ERRF");

	put_hex(&m, "00007e80 02000000 6e6f");
	return sized(m);
}

/* Steps of a session, and whether each may happen; capital letters: the client sends. H hello, A
 * acknowledge, O open, R renew, M a request and its answer, C close, E error. */
static void sessions_go_their_way(void **state)
{
	static const struct {
		const char *says, *may;
	} all[] = {
		{ "HaOoMmRoMmC", "+++++++++++" },
		{ "O", "-" },
		{ "M", "-" },
		{ "C", "-" },
		{ "HO", "+-" },
		{ "HM", "+-" },
		{ "HH", "+-" },
		{ "HaM", "++-" },
		{ "HaOM", "+++-" },
		{ "HaOO", "+++-" },
		{ "HaR", "++-" },
		{ "HaOoO", "++++-" },
		{ "HaOoH", "++++-" },
		{ "HaOoCM", "+++++-" },
		{ "HaOoCC", "+++++-" },
		{ "a", "-" },
		{ "Haa", "++-" },
		{ "Ho", "+-" },
		{ "Hao", "++-" },
		{ "Ham", "++-" },
		{ "He", "++" },
		{ "HaOe", "++++" },
		{ "HaOoMe", "++++++" },
		{ "HeM", "++-" },
		{ "e", "-" },
		{ "HaOoo", "++++-" },
	};
	struct desk d;

	(void)state;
	for (size_t k = 0; k < N(all); k++) {
		open_desk(&d);
		desk_reset(&d);
		sequences[0] = sequences[1] = 0;
		requests = 0;
		for (size_t i = 0; all[k].says[i] != '\0'; i++) {
			switch (all[k].says[i]) {
			case 'H':
				judge(&d, DIR_C2S, hello());
				break;
			case 'a':
				judge(&d, DIR_S2C, acknowledge());
				break;
			case 'O':
				requests++;
				judge(&d, DIR_C2S, opens(DIR_C2S, 0, NONE_URI, OPENS));
				break;
			case 'R':
				requests++;
				judge(&d, DIR_C2S, opens(DIR_C2S, CHANNEL, NONE_URI, RENEWS));
				break;
			case 'o':
				judge(&d, DIR_S2C, opens(DIR_S2C, CHANNEL, NONE_URI, OPENED));
				break;
			case 'M':
				ask(&d, 631, READ);
				break;
			case 'm':
				tell(&d, 634);
				break;
			case 'C':
				judge(&d, DIR_C2S, said("CLOF", DIR_C2S, ++requests, 452, ""));
				break;
			default:
				judge(&d, DIR_S2C, error());
				break;
			}
			if (d.p.allowed != (all[k].may[i] == '+'))
				fail_msg("%s, %zu: %d", all[k].says, i, d.p.reason);
		}
	}
}

/* A message that only one end may send is refused from the other. */
static void each_end_says_its_own(void **state)
{
	struct desk d;

	(void)state;
	open_desk(&d);
	assert_int_equal(judge(&d, DIR_C2S, acknowledge())->reason, R_OPCUA_SESSION);
	assert_int_equal(judge(&d, DIR_C2S, error())->reason, R_OPCUA_SESSION);
	assert_int_equal(judge(&d, DIR_S2C, hello())->reason, R_OPCUA_SESSION);
	assert_int_equal(judge(&d, DIR_S2C, said("CLOF", DIR_S2C, 1, 452, ""))->reason, R_OPCUA_SESSION);
	start(&d);
	assert_int_equal(judge(&d, DIR_S2C, said("MSGF", DIR_S2C, 1, 631, READ))->reason, R_OPCUA_RESPONSE);
	/* a channel is opened and closed by messages of its own */
	assert_int_equal(ask(&d, 446, "00000000 00000000 01000000 ffffffff 80ee3600")->reason, R_OPCUA_SESSION);
	assert_int_equal(ask(&d, 452, "")->reason, R_OPCUA_SESSION);
	start(&d);
	assert_int_equal(judge(&d, DIR_C2S, said("CLOF", DIR_C2S, ++requests, 631, READ))->reason, R_OPCUA_SESSION);
}

/* The server opens the session: this is refused, also if everything is allowed. */
static void reverse_hellos_are_refused(void **state)
{
	struct message m = message_of("RHEF");
	struct desk d;

	(void)state;
	put_hex(&m, "04000000 75726e3a 04000000 6f70632e");
	open_desk(&d);
	desk_reset(&d);
	assert_int_equal(judge(&d, DIR_C2S, sized(m))->reason, R_OPCUA_REVERSE);
	desk_whole(&d);
	assert_int_equal(judge(&d, DIR_C2S, sized(m))->reason, R_OPCUA_REVERSE);
}

/* ---- security -------------------------------------------------------------------------------- */

/* A channel without security needs a row that names it, whatever else a row allows. */
static void none_is_named(void **state)
{
	struct command_row *row;
	struct desk d;

	(void)state;
	row = open_desk(&d);
	row->targets[OPCUA_POLICY] = (struct number_set){ .any = true };
	start(&d);
	assert_int_equal(ask(&d, 631, READ)->reason, R_OPCUA_TARGET);
	row->targets[OPCUA_POLICY] = desk_range(&d, 2, 255);
	start(&d);
	assert_int_equal(ask(&d, 631, READ)->reason, R_OPCUA_TARGET);
	row->targets[OPCUA_POLICY] = desk_range(&d, 1, 1);
	start(&d);
	assert_true(ask(&d, 631, READ)->allowed);
	/* the hello does not state the policy */
	row->targets[OPCUA_POLICY] = desk_range(&d, 9, 9);
	desk_reset(&d);
	assert_true(judge(&d, DIR_C2S, hello())->allowed);
	assert_true(judge(&d, DIR_S2C, acknowledge())->allowed);
	requests = 1;
	assert_int_equal(judge(&d, DIR_C2S, opens(DIR_C2S, 0, NONE_URI, OPENS))->reason, R_OPCUA_TARGET);
	/* the mode is "none" as well */
	for (unsigned mode = 0; mode < 5; mode++) {
		char hex[512];

		row->targets[OPCUA_POLICY] = desk_range(&d, 1, 1);
		desk_reset(&d);
		judge(&d, DIR_C2S, hello());
		judge(&d, DIR_S2C, acknowledge());
		snprintf(hex, sizeof(hex), "0100be01" ASKS "00000000 00000000 %02x000000 ffffffff 80ee3600", mode);
		assert_int_equal(judge(&d, DIR_C2S, opens(DIR_C2S, 0, NONE_URI, hex))->reason,
				 mode == 1 ? R_ALLOWED : R_OPCUA_FRAME);
	}
}

static void begin_secured(struct desk *d, const char *uri)
{
	desk_reset(d);
	judge(d, DIR_C2S, hello());
	judge(d, DIR_S2C, acknowledge());
	judge(d, DIR_C2S, opens(DIR_C2S, 0, uri, "9a3b7f112233445566778899"));
}

/* Each security policy has a URI, which a row names by its number; the contents cannot be read. */
static void secured_channels_are_named(void **state)
{
	static const char *const names[] = {
		"Basic128Rsa15",	"Basic256",	  "Basic256Sha256", "Aes128_Sha256_RsaOaep",
		"Aes256_Sha256_RsaPss", "ECC_nistP256",	  "ECC_nistP384",   "ECC_brainpoolP256r1",
		"ECC_brainpoolP384r1",	"ECC_curve25519", "ECC_curve448",   "NoneAtAll"
	};
	struct command_row *row;
	struct desk d;

	(void)state;
	for (uint32_t k = 0; k < N(names); k++) {
		uint32_t number = k + 1 == N(names) ? 255 : k + 2;
		char uri[128];

		snprintf(uri, sizeof(uri), "http://opcfoundation.org/UA/SecurityPolicy#%s", names[k]);
		row = open_desk(&d);
		row->services = desk_range(&d, OPCUA_SECURED, OPCUA_SECURED);
		row->targets[OPCUA_POLICY] = desk_range(&d, number, number);
		begin_secured(&d, uri);
		assert_true(d.p.allowed);
		assert_int_equal(d.p.function, OPCUA_SECURED);
		assert_int_equal(d.p.targets[OPCUA_POLICY], number);
		assert_true(judge(&d, DIR_S2C, opens(DIR_S2C, 77, uri, "0102030405060708"))->allowed);
		row->targets[OPCUA_POLICY] = desk_range(&d, number == 255 ? 2 : number + 1, 255 - (number == 255));
		begin_secured(&d, uri);
		assert_int_equal(d.p.reason, R_OPCUA_TARGET);
		/* a policy with an unknown name needs a row that names it, because servers may read
		 * it as None */
		row->targets[OPCUA_POLICY] = (struct number_set){ .any = true };
		begin_secured(&d, uri);
		assert_int_equal(d.p.reason, number == 255 ? R_OPCUA_TARGET : R_ALLOWED);
		row->services = desk_range(&d, 1, OPCUA_SECURED - 1);
		begin_secured(&d, uri);
		assert_int_equal(d.p.reason, R_OPCUA_FUNCTION);
		row->targets[OPCUA_POLICY] = desk_range(&d, number, number);
		/* limits of nodes or values need readable messages */
		row->services = desk_range(&d, OPCUA_SECURED, OPCUA_SECURED);
		desk_space(&d, row, OPCUA_NODES, desk_range(&d, 0, UINT64_C(0xffffffffffff)));
		begin_secured(&d, uri);
		assert_int_equal(d.p.reason, R_OPCUA_ADDRESS);
	}
}

/* A URI that some servers read as None begins no channel that passes unread: not with the session,
 * and not in one that was met half-way. */
static void none_has_one_name(void **state)
{
	static const char *const names[] = { NONE_URI "#", NONE_URI " ",
					     "http://opcfoundation.org/UA/SecurityPolicy#none", "" };
	struct command_row *row;
	struct desk d;

	(void)state;
	row = open_desk(&d);
	row->services = desk_range(&d, OPCUA_SECURED, OPCUA_SECURED);
	row->targets[OPCUA_POLICY] = (struct number_set){ .any = true };
	for (size_t k = 0; k < N(names); k++) {
		begin_secured(&d, names[k]);
		assert_int_equal(d.p.reason, R_OPCUA_TARGET);
		desk_reset(&d);
		pending_missed(&opcua_enforcer, d.state, false);
		assert_int_equal(judge(&d, DIR_C2S, opens(DIR_C2S, CHANNEL, names[k], RENEWS))->reason, R_OPCUA_TARGET);
		assert_int_equal(d.p.targets[OPCUA_POLICY], OPCUA_POLICY_OTHER);
	}
}

/* A message that opens a channel with security by these certificates. */
static struct message certified(uint32_t channel, const char *der)
{
	struct message m = message_of("OPNF"), certificate = { .n = 0 };

	put_hex(&certificate, der);
	put_32(&m, channel);
	put_32(&m, sizeof(BASIC) - 1u);
	put(&m, BASIC, sizeof(BASIC) - 1u);
	put_32(&m, (uint32_t)certificate.n);
	put(&m, certificate.p, certificate.n);
	put_32(&m, UINT32_MAX);
	put_hex(&m, "9a3b7f112233445566778899");
	return sized(m);
}

/* The first certificate of a chain counts. The first 63 bits of its thumbprint are the address that
 * rows limit, for everything on the channel. The numbers are those of `openssl x509 -fingerprint
 * -sha1`. */
static void clients_are_named_by_certificates(void **state)
{
	static const struct {
		const char *der;
		uint64_t first;
	} ours[] = { { "3003020105", UINT64_C(0xb61e1f05dadafa7) },
		     { "3003020105 30020500", UINT64_C(0xb61e1f05dadafa7) },
		     { "308103020105", UINT64_C(0xd26f93189d00974) },
		     { "30820003020105 3003020106", UINT64_C(0x53660bf4118622e1) } };
	static const char *const others[] = { "3003020106",	      "", "3003", "3103020105", "30840000000302010500",
					      "3003020106 3003020105" };
	struct command_row *row;
	struct desk d;

	(void)state;
	for (size_t k = 0; k < N(ours); k++) {
		row = open_desk(&d);
		row->services = desk_range(&d, OPCUA_SECURED, OPCUA_SECURED);
		desk_space(&d, row, OPCUA_CERTIFICATES, desk_range(&d, ours[k].first, ours[k].first));
		begin_secured(&d, BASIC);
		assert_int_equal(d.p.reason, R_OPCUA_ADDRESS);
		for (size_t i = 0; i < N(others); i++) {
			desk_reset(&d);
			judge(&d, DIR_C2S, hello());
			judge(&d, DIR_S2C, acknowledge());
			assert_int_equal(judge(&d, DIR_C2S, certified(0, others[i]))->reason, R_OPCUA_ADDRESS);
		}
		desk_reset(&d);
		judge(&d, DIR_C2S, hello());
		judge(&d, DIR_S2C, acknowledge());
		assert_true(judge(&d, DIR_C2S, certified(0, ours[k].der))->allowed);
		assert_true(judge(&d, DIR_S2C, opens(DIR_S2C, CHANNEL, BASIC, "0102030405060708"))->allowed);
		assert_true(judge(&d, DIR_C2S, said("MSGF", DIR_C2S, 5, 673, ""))->allowed);
		assert_true(judge(&d, DIR_S2C, said("MSGF", DIR_S2C, 5, 676, ""))->allowed);
		/* only the certificate that opened the channel may renew it, whatever rows say */
		desk_space(&d, row, OPCUA_CERTIFICATES, desk_range(&d, 0, INT64_MAX));
		assert_int_equal(judge(&d, DIR_C2S, certified(CHANNEL, "3003020107"))->reason, R_OPCUA_CHANNEL);
		/* a row that limits certificates covers no readable message */
		row->services = (struct number_set){ .any = true };
		start(&d);
		assert_int_equal(ask(&d, 631, READ)->reason, R_OPCUA_ADDRESS);
	}
}

/* On a secured channel, chunks of this channel pass with any content; messages that the box could
 * read do not. */
static void secured_channels_carry_anything(void **state)
{
	struct command_row *row;
	struct message m;
	struct desk d;
	size_t len;

	(void)state;
	row = open_desk(&d);
	row->services = desk_range(&d, OPCUA_SECURED, OPCUA_SECURED);
	row->targets[OPCUA_POLICY] = desk_range(&d, 4, 4);
	begin_secured(&d, BASIC);
	assert_int_equal(judge(&d, DIR_C2S, said("MSGF", DIR_C2S, 5, 673, ""))->reason, R_OPCUA_SESSION);
	begin_secured(&d, BASIC);
	assert_true(judge(&d, DIR_S2C, opens(DIR_S2C, CHANNEL, BASIC, "0102030405060708"))->allowed);
	for (unsigned i = 0; i < 200; i++) {
		m = message_of(i % 3 == 0 ? "MSGC" : "MSGF");
		put_32(&m, CHANNEL);
		put_32(&m, i / 50);
		for (unsigned k = 0; k < 8 + i; k++)
			put(&m, &(uint8_t){ (uint8_t)(k * i) }, 1);
		m = sized(m);
		assert_int_equal(opcua_enforcer.frame(d.state, DIR_C2S, bytes_of(m.p, m.n), &len), FRAME_WHOLE);
		assert_int_equal(len, m.n);
		assert_true(judge(&d, (enum direction)(i % 2), m)->allowed);
		assert_int_equal(d.p.function, OPCUA_SECURED);
	}
	m.p[8]++; /* another channel */
	assert_int_equal(judge(&d, DIR_C2S, m)->reason, R_OPCUA_CHANNEL);
	assert_int_equal(judge(&d, DIR_S2C, m)->reason, R_OPCUA_CHANNEL);
	/* no message that changes the security of the channel */
	assert_false(judge(&d, DIR_C2S, opens(DIR_C2S, CHANNEL, NONE_URI, RENEWS))->allowed);
	row->services = (struct number_set){ .any = true };
	row->targets[OPCUA_POLICY] = desk_range(&d, 0, 255);
	assert_int_equal(judge(&d, DIR_C2S, opens(DIR_C2S, CHANNEL, NONE_URI, RENEWS))->reason, R_OPCUA_CHANNEL);
	assert_int_equal(judge(&d, DIR_S2C, opens(DIR_S2C, CHANNEL, NONE_URI, OPENED))->reason, R_OPCUA_CHANNEL);
	assert_true(judge(&d, DIR_C2S, opens(DIR_C2S, CHANNEL, BASIC, "01020304"))->allowed);
	start(&d);
	assert_int_equal(judge(&d, DIR_C2S, opens(DIR_C2S, CHANNEL, BASIC, "01020304"))->reason, R_OPCUA_CHANNEL);
	/* after a change of the rows the server's messages are refused as well */
	begin_secured(&d, BASIC);
	judge(&d, DIR_S2C, opens(DIR_S2C, CHANNEL, BASIC, "0102030405060708"));
	m.p[8]--;
	assert_true(judge(&d, DIR_S2C, m)->allowed);
	row->services = desk_range(&d, 631, 631);
	assert_int_equal(judge(&d, DIR_S2C, m)->reason, R_OPCUA_FUNCTION);
}

/* ---- numbers --------------------------------------------------------------------------------- */

/* The sequence numbers of each end increase by one, and begin anew near the end. */
static void numbers_follow(void **state)
{
	static const struct {
		uint32_t last, next;
		bool may;
	} all[] = { { 5, 6, true },
		    { 5, 5, false },
		    { 5, 7, false },
		    { 5, 4, false },
		    { 5, 0, false },
		    { 4294966271u, 4294966272u, true },
		    { 4294966271u, 1, false },
		    { 4294966272u, 1, true },
		    { 4294966272u, 1023, true },
		    { 4294966272u, 1024, false },
		    { UINT32_MAX, 0, true } };
	struct desk d;

	(void)state;
	for (size_t k = 0; k < N(all); k++) {
		open_desk(&d);
		/* then any number may be the first */
		pending_missed(&opcua_enforcer, d.state, false);
		sequences[0] = sequences[1] = all[k].last - 1;
		assert_true(ask(&d, 631, READ)->allowed);
		assert_true(tell(&d, 634)->allowed);
		sequences[0] = sequences[1] = all[k].next - 1;
		ask(&d, 631, READ);
		assert_int_equal(d.p.reason, all[k].may ? R_ALLOWED : R_OPCUA_NUMBER);
		if (all[k].may)
			assert_true(tell(&d, 634)->allowed);
		else
			assert_int_equal(tell(&d, 634)->reason, R_OPCUA_NUMBER);
	}
}

/* The number of a request is not used again before it is answered; answers come in any order. */
static void requests_have_numbers(void **state)
{
	struct desk d;

	(void)state;
	open_desk(&d);
	assert_true(judge(&d, DIR_C2S, said("MSGF", DIR_C2S, 10, 826, "00000000"))->allowed);
	assert_true(judge(&d, DIR_C2S, said("MSGF", DIR_C2S, 11, 631, READ))->allowed);
	assert_int_equal(judge(&d, DIR_C2S, said("MSGF", DIR_C2S, 10, 631, READ))->reason, R_OPCUA_NUMBER);
	start(&d);
	judge(&d, DIR_C2S, said("MSGF", DIR_C2S, 10, 826, "00000000"));
	judge(&d, DIR_C2S, said("MSGF", DIR_C2S, 11, 631, READ));
	assert_int_equal(judge(&d, DIR_S2C, said("MSGF", DIR_S2C, 10, 634, ""))->reason, R_OPCUA_RESPONSE);
	assert_true(judge(&d, DIR_S2C, said("MSGF", DIR_S2C, 11, 634, ""))->allowed);
	assert_true(judge(&d, DIR_S2C, said("MSGF", DIR_S2C, 10, 829, ""))->allowed);
	assert_int_equal(judge(&d, DIR_S2C, said("MSGF", DIR_S2C, 10, 829, ""))->reason, R_OPCUA_RESPONSE);
	assert_true(judge(&d, DIR_C2S, said("MSGF", DIR_C2S, 10, 631, READ))->allowed);
	assert_true(judge(&d, DIR_S2C, said("MSGF", DIR_S2C, 10, OPCUA_FAULT, ""))->allowed);
	assert_true(d.p.exception);
	assert_int_equal(d.p.function, 631);
}

/* The last token and the one before: a client may use the older one until it has the new one. */
static void tokens_are_known(void **state)
{
	struct desk d;
	struct message m;

	(void)state;
	open_desk(&d);
	for (uint32_t token = 2; token < 5; token++) {
		char hex[512];

		requests++;
		assert_true(judge(&d, DIR_C2S, opens(DIR_C2S, CHANNEL, NONE_URI, RENEWS))->allowed);
		snprintf(hex, sizeof(hex),
			 "0100c101" ANSWERS "00000000 07000000 %02x000000 0000000000000000 80ee3600 ffffffff", token);
		assert_true(judge(&d, DIR_S2C, opens(DIR_S2C, CHANNEL, NONE_URI, hex))->allowed);
		for (uint32_t used = token < 3 ? 1 : token - 2; used <= token + 1; used++) {
			bool may = used + 1 >= token && used <= token;

			m = said("MSGF", DIR_C2S, ++requests, 631, READ);
			m.p[12] = (uint8_t)used;
			assert_int_equal(judge(&d, DIR_C2S, m)->reason, may ? R_ALLOWED : R_OPCUA_CHANNEL);
		}
	}
}

/* An answer may have the token of its request, however often the channel was renewed meanwhile; but
 * no other channel. */
static void answers_have_older_tokens(void **state)
{
	struct message asked, m;
	uint32_t waiting;
	struct desk d;

	(void)state;
	for (unsigned wrong = 0; wrong < 2; wrong++) {
		open_desk(&d);
		asked = said("MSGF", DIR_C2S, ++requests, 826, "00000000");
		assert_true(judge(&d, DIR_C2S, asked)->allowed);
		waiting = requests;
		for (uint32_t token = 2; token < 5; token++) {
			char hex[512];

			requests++;
			judge(&d, DIR_C2S, opens(DIR_C2S, CHANNEL, NONE_URI, RENEWS));
			snprintf(hex, sizeof(hex),
				 "0100c101" ANSWERS "00000000 07000000 %02x000000 0000000000000000 80ee3600 ffffffff",
				 token);
			assert_true(judge(&d, DIR_S2C, opens(DIR_S2C, CHANNEL, NONE_URI, hex))->allowed);
		}
		m = said("MSGF", DIR_S2C, waiting, 829, "");
		assert_int_equal(m.p[12], TOKEN);
		m.p[8] += (uint8_t)wrong;
		assert_int_equal(judge(&d, DIR_S2C, m)->reason, wrong ? R_OPCUA_CHANNEL : R_ALLOWED);
	}
}

/* Servers whose sequence numbers jump: where a service says so, or the whole protocol is allowed.
 * Clients have to count. */
static void servers_may_count_otherwise(void **state)
{
	struct desk d;

	(void)state;
	for (unsigned k = 0; k < 3; k++) {
		open_desk(&d);
		if (k == 2)
			desk_whole(&d);
		start(&d);
		d.grants[0].lenient = k == 1 ? LENIENT_NUMBERING : 0;
		assert_true(ask(&d, 631, READ)->allowed);
		sequences[DIR_S2C] += 9;
		assert_int_equal(tell(&d, 634)->reason, k == 0 ? R_OPCUA_NUMBER : R_ALLOWED);
		sequences[DIR_C2S] += 1;
		assert_int_equal(ask(&d, 631, READ)->reason, R_OPCUA_NUMBER);
	}
}

/* A limited number of requests may wait; an answer makes room. */
static void requests_wait(void **state)
{
	struct desk d;

	(void)state;
	open_desk(&d);
	for (uint32_t k = 0; k < OPCUA_OPEN_MAX; k++)
		assert_true(judge(&d, DIR_C2S, said("MSGF", DIR_C2S, 1000 + k, 826, "00000000"))->allowed);
	assert_int_equal(ask(&d, 826, "00000000")->reason, R_OPCUA_PENDING);
	assert_true(judge(&d, DIR_S2C, said("MSGF", DIR_S2C, 1005, 829, ""))->allowed);
	assert_true(ask(&d, 826, "00000000")->allowed);
	assert_true(pending_state_used(&opcua_enforcer, d.state) <= ENFORCER_STATE_MAX);
}

/* ---- answers --------------------------------------------------------------------------------- */

/* The chunks of an answer are judged one by one. No chunk of an answer to a refused request passes.
 * An answer may be aborted. */
static void answers_come_in_chunks(void **state)
{
	struct command_row *row;
	struct desk d;
	struct message m;

	(void)state;
	open_desk(&d);
	assert_true(ask(&d, 631, READ)->allowed);
	assert_true(judge(&d, DIR_S2C, said("MSGC", DIR_S2C, requests, 634, ""))->allowed);
	assert_true(judge(&d, DIR_S2C, said("MSGC", DIR_S2C, requests, 9, ""))->allowed);
	assert_true(judge(&d, DIR_S2C, said("MSGF", DIR_S2C, requests, 9, ""))->allowed);
	assert_int_equal(judge(&d, DIR_S2C, said("MSGF", DIR_S2C, requests, 634, ""))->reason, R_OPCUA_RESPONSE);
	ask(&d, 631, READ);
	m = message_of("MSGA");
	put_32(&m, CHANNEL);
	put_32(&m, TOKEN);
	put_numbers(&m, DIR_S2C, requests);
	put_hex(&m, "00008080 02000000 6e6f");
	assert_true(judge(&d, DIR_S2C, sized(m))->allowed);
	assert_true(d.p.exception);
	assert_int_equal(tell(&d, 634)->reason, R_OPCUA_RESPONSE);
	row = open_desk(&d);
	row->services = desk_range(&d, 826, 826);
	start(&d);
	assert_int_equal(ask(&d, 631, READ)->reason, R_OPCUA_FUNCTION);
	assert_int_equal(judge(&d, DIR_S2C, said("MSGC", DIR_S2C, requests, 634, ""))->reason, R_OPCUA_FUNCTION);
	assert_int_equal(judge(&d, DIR_S2C, said("MSGF", DIR_S2C, requests, 634, ""))->reason, R_OPCUA_FUNCTION);
}

/* A server's chunk that is too long to be judged as one: its beginning decides, and the next chunk
 * is found behind it. */
static void long_chunks_come_in_pieces(void **state)
{
	static const uint32_t sizes[] = { 16384, 16385, 24576, 24577, 65535 };
	static uint8_t stream[131072];
	struct desk d;

	(void)state;
	for (size_t k = 0; k < N(sizes); k++)
		for (unsigned refused = 0; refused < 2; refused++) {
			struct message m;
			size_t at = 0, len, all;

			open_desk(&d);
			if (!refused)
				ask(&d, 631, READ);
			m = said("MSGF", DIR_S2C, requests, 634, "");
			memset(stream, 'M', sizeof(stream));
			memcpy(stream, m.p, m.n);
			memcpy(stream + 4, &sizes[k], 4);
			ask(&d, 631, READ);
			m = said("MSGF", DIR_S2C, requests, 634, "");
			memcpy(stream + sizes[k], m.p, m.n);
			all = sizes[k] + m.n;
			for (unsigned n = 0; at < all; n++, at += len) {
				assert_int_equal(
					opcua_enforcer.frame(d.state, DIR_S2C, bytes_of(stream + at, all - at), &len),
					FRAME_WHOLE);
				assert_true(len > 0 && len <= OPCUA_PDU_MAX && len <= all - at);
				desk_judge(&d, DIR_S2C, stream + at, len);
				assert_int_equal(d.p.allowed, !refused || at == sizes[k]);
			}
			assert_int_equal(at, all);
		}
}

/* A session met half-way: the first numbers are accepted, and answers to unseen requests are judged
 * by the rows. */
static void sessions_are_met_half_way(void **state)
{
	struct command_row *row;
	struct desk d;

	(void)state;
	open_desk(&d);
	desk_reset(&d);
	pending_missed(&opcua_enforcer, d.state, false);
	sequences[0] = 70;
	sequences[1] = 900;
	assert_int_equal(judge(&d, DIR_S2C, said("MSGF", DIR_S2C, 40, 829, ""))->reason, R_OPCUA_UNSEEN);
	assert_true(d.p.allowed);
	assert_int_equal(d.p.function, 826);
	assert_true(judge(&d, DIR_C2S, said("MSGF", DIR_C2S, 41, 631, READ))->allowed);
	assert_true(judge(&d, DIR_S2C, said("MSGF", DIR_S2C, 41, 634, ""))->allowed);
	row = open_desk(&d);
	row->services = desk_range(&d, 631, 631);
	pending_missed(&opcua_enforcer, d.state, false);
	assert_int_equal(judge(&d, DIR_S2C, said("MSGF", DIR_S2C, 40, 829, ""))->reason, R_OPCUA_FUNCTION);
	assert_int_equal(judge(&d, DIR_S2C, said("MSGF", DIR_S2C, 40, 634, ""))->reason, R_OPCUA_UNSEEN);
	open_desk(&d);
	pending_missed(&opcua_enforcer, d.state, true);
	assert_int_equal(judge(&d, DIR_S2C, said("MSGF", DIR_S2C, 40, 634, ""))->reason, R_OPCUA_UNREAD);
	assert_false(d.p.allowed);
	/* unreadable messages belong to a channel whose policy is unknown: the row has to name 0 */
	row = open_desk(&d);
	desk_reset(&d);
	pending_missed(&opcua_enforcer, d.state, false);
	row->targets[OPCUA_POLICY] = desk_range(&d, 1, 255);
	assert_int_equal(judge(&d, DIR_C2S, said("MSGF", DIR_C2S, 40, 0, ""))->reason, R_OPCUA_TARGET);
	row->targets[OPCUA_POLICY] = desk_range(&d, 0, 0);
	assert_true(judge(&d, DIR_C2S, said("MSGF", DIR_C2S, 40, 0, ""))->allowed);
	assert_int_equal(d.p.function, OPCUA_SECURED);
	assert_int_equal(judge(&d, DIR_C2S, said("MSGF", DIR_C2S, 40, 631, READ))->reason, R_OPCUA_TARGET);
}

/* ---- pieces of requests ---------------------------------------------------------------------- */

/* A request that is complete although its chunk announces more: none of its bytes pass. */
static void whole_requests_do_not_wait(void **state)
{
	struct pdu p = { .dir = DIR_C2S };
	struct message m;
	struct desk d;
	bool may;

	(void)state;
	open_desk(&d);
	m = said("MSGF", DIR_C2S, 2, 631, READ);
	for (unsigned more = 0; more < 20; more++)
		for (size_t n = 0; n <= m.n; n++) {
			struct message other = m;

			other.p[4] = (uint8_t)(m.n + more);
			may = opcua_enforcer.segment(d.state, 0, 0, false, bytes_of(other.p, n), desk_by(&d), &p);
			assert_int_equal(may, n < m.n || more == 0);
		}
	/* behind another request, and as the last chunk */
	m.p[4]++;
	memcpy(m.p + m.n, m.p, m.n);
	m.p[4]--;
	assert_false(opcua_enforcer.segment(d.state, 0, 0, false, bytes_of(m.p, 2 * m.n), desk_by(&d), &p));
	assert_int_equal(p.reason, R_OPCUA_FRAME);
	desk_whole(&d);
	assert_true(opcua_enforcer.segment(d.state, 0, 0, false, bytes_of(m.p, 2 * m.n), desk_by(&d), &p));
}

/* A request in chunks is judged as one request. Each chunk has its own sequence number; everything
 * else is equal. */
static void requests_come_in_chunks(void **state)
{
	struct command_row *row;
	struct message whole, m;
	struct desk d;

	(void)state;
	for (unsigned parts = 2; parts < 9; parts++)
		for (unsigned wrong = 0; wrong < 6; wrong++) {
			size_t begin = 24, size, at;

			row = open_desk(&d);
			row->services = desk_range(&d, 631, 631);
			start(&d);
			whole = said("MSGF", DIR_C2S, 9, 631, READ);
			sequences[0]--;
			m = (struct message){ .n = 0 };
			size = (whole.n - begin + parts - 1) / parts;
			for (; begin < whole.n; begin += size) {
				bool last = begin + size >= whole.n;
				struct message c = message_of(last ? "MSGF" : "MSGC");

				put_32(&c, CHANNEL + (last && wrong == 1));
				put_32(&c, TOKEN + (last && wrong == 2));
				sequences[0] += last && wrong == 3;
				put_numbers(&c, DIR_C2S, last && wrong == 4 ? 10 : 9);
				put(&c, whole.p + begin, last ? whole.n - begin : size);
				c = sized(c);
				at = m.n;
				put(&m, c.p, c.n);
				if (last && wrong == 5)
					m.p[at + 3] = 'A';
			}
			judge(&d, DIR_C2S, m);
			assert_int_equal(d.p.reason, wrong == 0	  ? R_ALLOWED
						     : wrong == 3 ? R_OPCUA_NUMBER
								  : R_OPCUA_FRAME);
			assert_true(wrong != 0 || d.p.function == 631);
		}
}

/* A server that does not assemble chunks would execute a chunk that is a request by itself. */
static void no_chunk_is_a_request(void **state)
{
	struct message first = said("MSGC", DIR_C2S, 2, 673, "01000000010264000d000000ffffffff010605000000"), c, inner;
	struct pdu p = { .dir = DIR_C2S };
	struct command_row *row;
	struct desk d;

	(void)state;
	for (unsigned hides = 0; hides < 2; hides++) {
		row = open_desk(&d);
		row->services = desk_range(&d, 12208, 12208);
		assert_false(opcua_enforcer.segment(d.state, 0, 0, false, bytes_of(first.p, first.n), desk_by(&d), &p));
		assert_int_equal(p.reason, R_OPCUA_FRAME);
		start(&d);
		inner = said("MSGF", DIR_C2S, 9, 673, "01000000010264000d000000ffffffff010605000000");
		sequences[0]--;
		inner.p[24] = hides ? inner.p[24] : 0x7f; /* not a node id, but arbitrary text */
		first = said("MSGC", DIR_C2S, 9, 12208, "000000000000000001000000");
		put_32(&first, (uint32_t)(inner.n - 24));
		first = sized(first);
		c = message_of("MSGF");
		put_32(&c, CHANNEL);
		put_32(&c, TOKEN);
		put_numbers(&c, DIR_C2S, 9);
		put(&c, inner.p + 24, inner.n - 24);
		c = sized(c);
		put(&first, c.p, c.n);
		judge(&d, DIR_C2S, first);
		assert_int_equal(d.p.reason, hides ? R_OPCUA_FRAME : R_ALLOWED);
		first = said("MSGC", DIR_C2S, 2, 673, "01000000010264000d000000ffffffff010605000000");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sessions_go_their_way),
		cmocka_unit_test(each_end_says_its_own),
		cmocka_unit_test(reverse_hellos_are_refused),
		cmocka_unit_test(none_is_named),
		cmocka_unit_test(secured_channels_are_named),
		cmocka_unit_test(none_has_one_name),
		cmocka_unit_test(clients_are_named_by_certificates),
		cmocka_unit_test(secured_channels_carry_anything),
		cmocka_unit_test(numbers_follow),
		cmocka_unit_test(requests_have_numbers),
		cmocka_unit_test(tokens_are_known),
		cmocka_unit_test(answers_have_older_tokens),
		cmocka_unit_test(servers_may_count_otherwise),
		cmocka_unit_test(requests_wait),
		cmocka_unit_test(answers_come_in_chunks),
		cmocka_unit_test(long_chunks_come_in_pieces),
		cmocka_unit_test(sessions_are_met_half_way),
		cmocka_unit_test(whole_requests_do_not_wait),
		cmocka_unit_test(requests_come_in_chunks),
		cmocka_unit_test(no_chunk_is_a_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
