/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files for chronyd, rsyslogd, sekisho-fetch, sekisho-notify, sekisho-inform and the program
 * that asks the UPS server, byte for byte; and that no text gets into them that is more than a name
 * or a path.
 *
 * LINK: appliance/box/companions.c appliance/fetch/settings.c $(BASE_SRC) $(WIRE_SRC)
 * LIBS: jansson nettle
 * LINK: appliance/base/messages.c appliance/base/errno_text.c mgmt/notify/settings.c
 */
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <stdlib.h>
#include <unistd.h>

#include "appliance/box/companions.h"
#include "appliance/fetch/fetch.h"
#include "appliance/wire/plain.h"
#include "mgmt/notify/outlet.h"

#define STATE "/var/lib/sekisho"

static const struct companion_box BOX = { STATE, "sekisho-admin", LANG_EN },
				  BOX_JA = { STATE, "sekisho-admin", LANG_JA };

static struct ir_peer peer(enum peer_use use, const char *address, uint16_t port)
{
	struct ir_peer p = {
		.use = (uint8_t)use, .l4proto = IPPROTO_UDP, .port = port, .name = "", .ca = "", .user = ""
	};

	assert_true(addr_parse(address, &p.address));
	return p;
}

#define CHRONY_TAIL                                                                                                    \
	"# Nobody is served.\nport 0\ncmdport 0\n"                                                                     \
	"# The first three answers may set the clock; from then on it is only led, and by no more than a minute.\n"    \
	"makestep 1 3\nmaxchange 60 3 -1\n"                                                                            \
	"# The kernel is told that the clock has a source, which status asks it for.\n"                                \
	"rtcsync\ndriftfile /var/lib/chrony/chrony.drift\n"
#define HEAD "# Written by sekishod from box.cfg whenever it changes; what is changed here is lost.\n"

static void sources_of_time(void **state)
{
	struct ir_peer peers[] = { peer(PEER_TIME, "10.99.0.5", 123), peer(PEER_TIME, "2001:db8:99::5", 123),
				   peer(PEER_TIME, "10.98.0.5", 123), peer(PEER_LOG, "10.99.0.9", 6514) };
	struct ir ir = { .peers = peers, .n_peers = 1 };
	char out[COMPANION_TEXT];
	int n;

	(void)state;
	n = companion_file(COMPANION_TIME, &ir, &BOX, out);
	assert_int_equal(n, strlen(out));
	assert_string_equal(out, HEAD "server 10.99.0.5 port 123 iburst\n" CHRONY_TAIL);
	ir.n_peers = 4;
	n = companion_file(COMPANION_TIME, &ir, &BOX, out);
	assert_int_equal(n, strlen(out));
	assert_string_equal(out, HEAD "server 10.99.0.5 port 123 iburst\nserver 2001:db8:99::5 port 123 iburst\n"
				      "server 10.98.0.5 port 123 iburst\nminsources 2\n" CHRONY_TAIL);
	ir.peers = peers + 3;
	ir.n_peers = 1;
	assert_int_equal(companion_file(COMPANION_TIME, &ir, &BOX, out), 0);
	ir.n_peers = 0;
	assert_int_equal(companion_file(COMPANION_TIME, &ir, &BOX, out), 0);
}

static void the_most_sources_fit(void **state)
{
	struct ir_peer peers[16];
	struct ir ir = { .peers = peers, .n_peers = 16 };
	char out[COMPANION_TEXT];

	(void)state;
	for (size_t i = 0; i < 16; i++)
		peers[i] = peer(PEER_TIME, "2001:db8:1111:2222:3333:4444:5555:6666", 65535);
	assert_in_range(companion_file(COMPANION_TIME, &ir, &BOX, out), 16 * 50, COMPANION_TEXT / 2);
}

static void records(void **state)
{
	struct ir_peer peers[] = { peer(PEER_TIME, "10.99.0.5", 123), peer(PEER_LOG, "2001:db8:99::9", 10514) };
	struct ir ir = { .peers = peers, .n_peers = 2 };
	char out[COMPANION_TEXT], before[COMPANION_TEXT];
	ptrdiff_t end;
	int n;

	(void)state;
	/* If the server cannot be authenticated, nothing is sent. */
	assert_int_equal(companion_file(COMPANION_LOG, &ir, &BOX, out), 0);
	peers[1].name = "log.example.jp";
	peers[1].ca = "/etc/sekisho/log-ca.pem";
	n = companion_file(COMPANION_LOG, &ir, &BOX, out);
	assert_int_equal(n, strlen(out));
	assert_string_equal(
		out, HEAD
		"global(workDirectory=`echo $STATE_DIRECTORY` maxMessageSize=\"16k\"\n"
		"       defaultNetstreamDriverCAFile=\"/etc/sekisho/log-ca.pem\")\n"
		"module(load=\"imfile\")\n"
		"main_queue(queue.type=\"Direct\")\n"
		"input(type=\"imfile\" file=\"/var/lib/sekisho/journal/events-*.log\" tag=\"sekisho\" "
		"facility=\"local0\" severity=\"info\"\n"
		"      freshStartTail=\"off\" maxSubmitAtOnce=\"1\" persistStateInterval=\"16\" "
		"persistStateAfterSubmission=\"on\")\n"
		"template(name=\"record\" type=\"string\"\n"
		"         string=\"<%pri%>1 %timegenerated:::date-rfc3339% %hostname% sekisho - - - %msg%\")\n"
		"action(type=\"omfwd\" target=\"2001:db8:99::9\" port=\"10514\" protocol=\"tcp\" template=\"record\" "
		"TCP_Framing=\"octet-counted\"\n"
		"       streamDriver=\"gtls\" streamDriverMode=\"1\" streamDriverAuthMode=\"x509/name\" "
		"streamDriverPermittedPeers=\"log.example.jp\"\n"
		"       keepAlive=\"on\" keepAlive.time=\"10\" keepAlive.interval=\"5\" keepAlive.probes=\"3\"\n"
		"       action.resumeRetryCount=\"-1\" action.resumeInterval=\"1\" action.resumeIntervalMax=\"30\")\n");
	/* The other transport changes neither how records are read nor their format. */
	end = strstr(out, "action(") - out;
	memcpy(before, out, (size_t)end);
	before[end] = '\0';
	peers[1].relp = true;
	n = companion_file(COMPANION_LOG, &ir, &BOX, out);
	assert_int_equal(n, strlen(out));
	assert_int_equal(strncmp(out, before, (size_t)end), 0);
	assert_string_equal(
		out + end,
		"module(load=\"omrelp\" tls.tlslib=\"gnutls\")\n"
		"action(type=\"omrelp\" target=\"2001:db8:99::9\" port=\"10514\" template=\"record\" windowSize=\"16\" "
		"timeout=\"15\" conn.timeout=\"10\"\n"
		"       tls=\"on\" tls.caCert=\"/etc/sekisho/log-ca.pem\" tls.authMode=\"name\" "
		"tls.permittedPeer=[\"log.example.jp\"]\n"
		"       tls.myCert=`echo $CREDENTIALS_DIRECTORY/certificate` tls.myPrivKey=`echo "
		"$CREDENTIALS_DIRECTORY/key`\n"
		"       action.resumeRetryCount=\"-1\" action.resumeInterval=\"1\" action.resumeIntervalMax=\"30\")\n");
}

#define MAKES_EVE                                                                                                      \
	"action(type=\"mmexternal\" binary=`echo $SEKISHO_EVE` interface.input=\"msg\" action.resumeInterval=\"1\")\n"

/* The conversion stands between reading and sending. Both stay the same except for the maximum size
 * of a message, with either transport. */
static void records_as_eve(void **state)
{
	static const char made[] = "module(load=\"mmexternal\")\n" MAKES_EVE
				   "if not ($msg startswith '{\"timestamp\":') then\n       " MAKES_EVE;
	struct ir_peer p = peer(PEER_LOG, "10.99.0.9", 6514);
	const struct ir ir = { .peers = &p, .n_peers = 1 };
	char own[COMPANION_TEXT], eve[COMPANION_TEXT], *bound, *at;
	size_t n_made = strlen(made);
	int n;

	(void)state;
	p.name = "log.example.jp";
	p.ca = "/etc/sekisho/log-ca.pem";
	for (unsigned i = 0; i < 2; i++) {
		p.relp = i == 1;
		p.eve = false;
		assert_true(companion_file(COMPANION_LOG, &ir, &BOX, own) > 0);
		assert_null(strstr(own, "mmexternal"));
		p.eve = true;
		n = companion_file(COMPANION_LOG, &ir, &BOX, eve);
		assert_int_equal(n, strlen(eve));
		bound = strstr(eve, "maxMessageSize=\"64k\"");
		assert_non_null(bound);
		memcpy(strstr(bound, "64k"), "16k", 3);
		at = strstr(eve, made);
		assert_non_null(at);
		assert_true(at > strstr(eve, "template(") &&
			    at < strstr(eve, i == 0 ? "type=\"omfwd\"" : "type=\"omrelp\""));
		memmove(at, at + n_made, strlen(at + n_made) + 1);
		assert_string_equal(eve, own);
	}
}

static const char *const bad_names[] = {
	"",	".",	"log.", ".log", "a..b",		"-a",	    "a-",  "a b",  "a\"b",
	"a\nb", "a\\b", "a`b",	"a$b",	"*.example.jp", "10.0.0.1", "a,b", "ログ",
};
static const char *const bad_paths[] = {
	"",	 "/",	  "a",	   "a/b",  "/a/",  "//a",  "/a//b", "/../a", "/a/..",	"/a/.b", "/a b",
	"/a\"b", "/a\nb", "/a\\b", "/a`b", "/a$b", "/a*b", "/a?b",  "/a#b",  "/etc/鍵", "/a'",
};

/* A generation that no compiler of ours made: its texts are not written, whatever its other
 * contents are. */
static void nothing_more_than_a_name(void **state)
{
	struct ir_peer p = peer(PEER_LOG, "10.99.0.9", 6514);
	const struct ir ir = { .peers = &p, .n_peers = 1 };
	char out[COMPANION_TEXT], longest[256];

	(void)state;
	for (size_t i = 0; i < sizeof(bad_names) / sizeof(bad_names[0]); i++) {
		assert_false(plain_server_name(bad_names[i]));
		p.name = bad_names[i];
		p.ca = "/ca";
		assert_int_equal(companion_file(COMPANION_LOG, &ir, &BOX, out), -EINVAL);
	}
	p.name = "a";
	for (size_t i = 0; i < sizeof(bad_paths) / sizeof(bad_paths[0]); i++) {
		assert_false(plain_path(bad_paths[i]));
		p.ca = bad_paths[i];
		assert_int_equal(companion_file(COMPANION_LOG, &ir, &BOX, out), bad_paths[i][0] == '\0' ? 0 : -EINVAL);
		p.ca = "/ca";
		assert_int_equal(
			companion_file(COMPANION_LOG, &ir, &(struct companion_box){ .state = bad_paths[i] }, out),
			-EINVAL);
	}
	memset(longest, 'a', sizeof(longest));
	longest[0] = '/';
	longest[PLAIN_PATH_MAX + 1] = '\0';
	assert_false(plain_path(longest));
	longest[PLAIN_PATH_MAX] = '\0';
	assert_true(plain_path(longest));
	longest[65] = '\0';
	assert_false(plain_server_name(longest + 1));
	longest[64] = '\0';
	assert_true(plain_server_name(longest + 1));
	assert_true(plain_server_name("LOG-1.example.jp"));
	assert_true(plain_path("/etc/ssl/certs/Some_Root.1-2.pem"));
	/* The longest of everything. */
	for (size_t i = 0; i < 253; i++)
		longest[i] = i % 64 == 63 ? '.' : 'a';
	longest[253] = '\0';
	p.name = longest;
	assert_true(companion_file(COMPANION_LOG, &ir, &BOX, out) > 0);
	p.relp = true;
	assert_true(companion_file(COMPANION_LOG, &ir, &BOX, out) > 0);
	p.eve = true;
	assert_true(companion_file(COMPANION_LOG, &ir, &BOX, out) > 0);
}

/* What is written is what is read, whatever the text; and no text adds a line. */
static void updates(void **state)
{
	struct ir_peer peers[] = { peer(PEER_LOG, "10.99.0.9", 6514), peer(PEER_UPDATE, "2001:db8:99::8", 8443) };
	struct ir ir = { .peers = peers, .n_peers = 1 };
	char out[COMPANION_TEXT], path[] = "/tmp/sekisho-update-XXXXXX";
	struct fetch_settings s;
	struct err e;
	int n, fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(companion_file(COMPANION_UPDATE, &ir, &BOX, out), 0);
	ir.n_peers = 2;
	assert_int_equal(companion_file(COMPANION_UPDATE, &ir, &BOX, out), -EINVAL);
	peers[1].name = "updates.example.jp";
	for (size_t i = 0; i < sizeof(bad_paths) / sizeof(bad_paths[0]); i++) {
		peers[1].ca = bad_paths[i];
		assert_int_equal(companion_file(COMPANION_UPDATE, &ir, &BOX, out), -EINVAL);
	}
	peers[1].ca = "/etc/sekisho/update-ca.pem";
	for (size_t i = 0; i < sizeof(bad_names) / sizeof(bad_names[0]); i++) {
		peers[1].name = bad_names[i];
		assert_int_equal(companion_file(COMPANION_UPDATE, &ir, &BOX, out), -EINVAL);
	}
	peers[1].name = "updates.example.jp";
	n = companion_file(COMPANION_UPDATE, &ir, &BOX, out);
	assert_int_equal(n, strlen(out));
	assert_string_equal(out,
			    HEAD "netns sekisho-admin\naddress 2001:db8:99::8\nport 8443\nname updates.example.jp\n"
				 "ca /etc/sekisho/update-ca.pem\n");
	assert_int_equal(write(fd, out, (size_t)n), n);
	assert_int_equal(fetch_settings_read(path, &s, &e), 0);
	assert_string_equal(s.netns, "sekisho-admin");
	assert_string_equal(s.name, "updates.example.jp");
	assert_string_equal(s.ca, "/etc/sekisho/update-ca.pem");
	assert_int_equal(s.port, 8443);
	assert_int_equal(addr_cmp(&s.address, &peers[1].address), 0);
	fetch_settings_free(&s);
	/* A file that is cut anywhere is not accepted. */
	for (int cut = n - 28; cut >= 0; cut--) {
		assert_int_equal(ftruncate(fd, cut), 0);
		assert_int_equal(fetch_settings_read(path, &s, &e), -EINVAL);
		fetch_settings_free(&s);
	}
	close(fd);
	unlink(path);
	assert_int_equal(fetch_settings_read(path, &s, &e), -ENOENT);
	fetch_settings_free(&s);
}

/* Where backups are sent: that, a folder, and perhaps a user. */
static void backups(void **state)
{
	struct ir_peer peers[] = { peer(PEER_UPDATE, "10.99.0.8", 443), peer(PEER_BACKUP, "10.99.0.31", 443) };
	struct ir ir = { .peers = peers, .n_peers = 1 };
	char out[COMPANION_TEXT], path[] = "/tmp/sekisho-update-XXXXXX";
	struct fetch_settings s;
	struct err e;
	int n, fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(companion_file(COMPANION_BACKUP, &ir, &BOX, out), 0);
	ir.n_peers = 2;
	peers[1].to = "";
	peers[1].name = "nas.example.jp";
	peers[1].ca = "/etc/sekisho/backup-ca.pem";
	assert_int_equal(companion_file(COMPANION_BACKUP, &ir, &BOX, out), -EINVAL);
	for (size_t i = 0; i < sizeof(bad_paths) / sizeof(bad_paths[0]); i++) {
		peers[1].to = bad_paths[i];
		assert_int_equal(companion_file(COMPANION_BACKUP, &ir, &BOX, out), -EINVAL);
	}
	peers[1].to = "/backups/kita";
	peers[1].user = "a b";
	assert_int_equal(companion_file(COMPANION_BACKUP, &ir, &BOX, out), -EINVAL);
	for (unsigned user = 0; user < 2; user++) {
		peers[1].user = user == 1 ? "kita" : "";
		n = companion_file(COMPANION_BACKUP, &ir, &BOX, out);
		assert_true(
			n > 0 &&
			strstr(out, "\nname nas.example.jp\nca /etc/sekisho/backup-ca.pem\nfolder /backups/kita\n") !=
				NULL);
		assert_int_equal(strstr(out, "\nuser kita\n") != NULL, user);
		assert_int_equal(ftruncate(fd, 0), 0);
		assert_int_equal(pwrite(fd, out, (size_t)n, 0), n);
		assert_int_equal(fetch_settings_read(path, &s, &e), 0);
		assert_string_equal(s.folder, "/backups/kita");
		assert_int_equal(s.user != NULL, user);
		fetch_settings_free(&s);
	}
	/* A backup server gives no file for the update server. */
	assert_true(companion_file(COMPANION_UPDATE, &ir, &BOX, out) == -EINVAL);
	close(fd);
	unlink(path);
}

static void server_of_the_ups(void **state)
{
	static const char *const no_words[] = { "",    "-a",  ".a",  "a b",  "a\"b", "a\nuser root",
						"a@b", "a:1", "a/b", "UPSの" };
	struct ir_peer peers[] = { peer(PEER_TIME, "10.99.0.5", 123), peer(PEER_UPS, "10.99.0.7", 3493) };
	struct addr own[2];
	struct ir_interface cards[] = { { .addresses = own, .n_addresses = 2 },
					{ .admin = true, .addresses = own, .n_addresses = 2 } };
	struct ir ir = { .peers = peers, .n_peers = 1, .interfaces = cards, .n_interfaces = 2 };
	char out[COMPANION_TEXT], longest[PLAIN_WORD_MAX + 2];
	int n;

	(void)state;
	assert_true(addr_parse("10.99.0.1", &own[0]) && addr_parse("2001:db8:99::1", &own[1]));
	assert_int_equal(companion_file(COMPANION_UPS, &ir, &BOX, out), 0);
	assert_null(companion_server(&ir, PEER_UPS));
	ir.n_peers = 2;
	peers[1].name = "hall.ups-1";
	peers[1].user = "sekisho";
	n = companion_file(COMPANION_UPS, &ir, &BOX, out);
	assert_int_equal(n, strlen(out));
	assert_string_equal(out,
			    HEAD "ups hall.ups-1@10.99.0.7:3493\nuser sekisho\nown 10.99.0.1\nown 2001:db8:99::1\n");
	memset(longest, 'a', sizeof(longest));
	longest[PLAIN_WORD_MAX] = '\0';
	peers[1] = peer(PEER_UPS, "2001:db8:1111:2222:3333:4444:5555:6666", 65535);
	peers[1].name = peers[1].user = longest;
	ir.n_interfaces = 0;
	assert_true(companion_file(COMPANION_UPS, &ir, &BOX, out) > 0);
	assert_non_null(strstr(out, "a@[2001:db8:1111:2222:3333:4444:5555:6666]:65535\nuser a"));
	for (size_t i = 0; i < sizeof(no_words) / sizeof(no_words[0]); i++) {
		peers[1].name = no_words[i];
		assert_int_equal(companion_file(COMPANION_UPS, &ir, &BOX, out), -EINVAL);
		peers[1].name = longest;
		peers[1].user = no_words[i];
		assert_int_equal(companion_file(COMPANION_UPS, &ir, &BOX, out), -EINVAL);
		peers[1].user = longest;
	}
	longest[PLAIN_WORD_MAX] = 'a';
	longest[PLAIN_WORD_MAX + 1] = '\0';
	assert_int_equal(companion_file(COMPANION_UPS, &ir, &BOX, out), -EINVAL);
}

/* The program reads what was written; no text in it is more than a name. */
static void server_of_mail(void **state)
{
	static const char *const no_mailboxes[] = { "",
						    "a",
						    "@b.example",
						    "a@",
						    "a@b..example",
						    "a@b.example>",
						    "a b@c.example",
						    "a@b.example\nuser root",
						    "a@10.0.0.1" };
	struct ir_peer peers[] = { peer(PEER_TIME, "10.99.0.5", 123), peer(PEER_MAIL, "2001:db8:99::25", 587) };
	struct ir ir = { .peers = peers, .n_peers = 1 };
	char out[COMPANION_TEXT], path[] = "/tmp/test_companions.XXXXXX";
	struct outlet_settings s;
	struct err e = { 0 };
	int n, fd;

	(void)state;
	assert_int_equal(companion_file(COMPANION_NOTIFY, &ir, &BOX, out), 0);
	ir.n_peers = 2;
	peers[1].name = "mail.example";
	peers[1].ca = "/etc/ca.pem";
	peers[1].from = "box@site.example";
	peers[1].to = "a@site.example b+c@site.example";
	peers[1].user = "sekisho";
	n = companion_file(COMPANION_NOTIFY, &ir, &BOX_JA, out);
	assert_int_equal(n, strlen(out));
	assert_string_equal(
		out,
		HEAD "address 2001:db8:99::25\nport 587\nname mail.example\nca /etc/ca.pem\nfrom box@site.example\n"
		     "to a@site.example b+c@site.example\nlang ja\nuser sekisho\n");
	fd = mkstemp(path);
	assert_int_equal(write(fd, out, (size_t)n), n);
	close(fd);
	assert_int_equal(outlet_settings_read(path, OUTLET_MAIL, &s, &e), 0);
	assert_true(s.port == 587 && s.lang == LANG_JA && s.every_s == 600 && strcmp(s.to, peers[1].to) == 0 &&
		    strcmp(s.user, "sekisho") == 0);
	free(s.text);
	unlink(path);
	for (size_t i = 0; i < sizeof(no_mailboxes) / sizeof(no_mailboxes[0]); i++) {
		peers[1].from = no_mailboxes[i];
		assert_int_equal(companion_file(COMPANION_NOTIFY, &ir, &BOX, out), -EINVAL);
		peers[1].from = "box@site.example";
		peers[1].to = no_mailboxes[i];
		assert_int_equal(companion_file(COMPANION_NOTIFY, &ir, &BOX, out), -EINVAL);
		peers[1].to = "a@site.example";
	}
}

static void receiver_of_informs(void **state)
{
	static const char *const no_users[] = { "", "a b", "a\nuser root", "-a", "a23456789012345678901234567890123" };
	struct ir_peer peers[] = { peer(PEER_TIME, "10.99.0.5", 123), peer(PEER_SNMP, "2001:db8:99::30", 10162) };
	struct ir ir = { .peers = peers, .n_peers = 1 };
	char out[COMPANION_TEXT], path[] = "/tmp/test_companions.XXXXXX";
	struct outlet_settings s;
	struct err e = { 0 };
	int n, fd;

	(void)state;
	assert_int_equal(companion_file(COMPANION_INFORM, &ir, &BOX, out), 0);
	ir.n_peers = 2;
	peers[1].user = "sekisho";
	n = companion_file(COMPANION_INFORM, &ir, &BOX_JA, out);
	assert_int_equal(n, strlen(out));
	assert_string_equal(out, HEAD "address 2001:db8:99::30\nport 10162\nuser sekisho\nlang ja\n");
	fd = mkstemp(path);
	assert_int_equal(write(fd, out, (size_t)n), n);
	close(fd);
	assert_int_equal(outlet_settings_read(path, OUTLET_SNMP, &s, &e), 0);
	assert_true(s.port == 10162 && s.lang == LANG_JA && s.address.family == 6 && strcmp(s.user, "sekisho") == 0);
	free(s.text);
	unlink(path);
	for (size_t i = 0; i < sizeof(no_users) / sizeof(no_users[0]); i++) {
		peers[1].user = no_users[i];
		assert_int_equal(companion_file(COMPANION_INFORM, &ir, &BOX, out), -EINVAL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(server_of_mail),    cmocka_unit_test(receiver_of_informs),
		cmocka_unit_test(sources_of_time),   cmocka_unit_test(the_most_sources_fit),
		cmocka_unit_test(records),	     cmocka_unit_test(nothing_more_than_a_name),
		cmocka_unit_test(server_of_the_ups), cmocka_unit_test(updates),
		cmocka_unit_test(backups),	     cmocka_unit_test(records_as_eve),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
