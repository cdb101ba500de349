# SPDX-License-Identifier: Apache-2.0
"""The servers, and what their clients do. A server is a function that starts it and yields (what,
command or function) for each client. `ports` gives the name that a policy promises on each port:
the first one of the listed names that exists; or "-", which every name has to refuse. What begins
with "not promised" counts as "-" as well: a client may say it, but the name does not cover it."""
import shlex

from root import HOST, exists, file, run, said, serve, talk, typed, until

ALL = {}
# Sessions that fit another protocol as well: nothing in them shows which one it is.
EITHER = {("vsftpd", "tnftp, at once a QUIT"): ("smtp",)}
LOGIN = (("login:", "walker"), ("assword:", "pw"), ("$ ", "exit"))
BESIDE = "/opt/beside"  # packages that cannot be installed beside others of their kind


def curled(*steps):
    """curl as a telnet client. It is given each line when the server has said the word before it,
    over a pipe, because it does not read a terminal line by line."""
    lines = "; ".join("await grep -qF %s /tmp/said; echo %s" % (shlex.quote(word), line) for word, line in steps)
    return ": >/tmp/said; (%s) | curl -sN -m 6 telnet://%s | tee /tmp/said" % (lines, HOST)


def server(**ports):
    def keep(function):
        ALL[function.__name__] = (function, {int(p[1:]): name for p, name in ports.items()})
        return function
    return keep


@server(_389="ldap", _636="tls")
def slapd():
    schemas = ("core", "cosine", "inetorgperson")
    file("/etc/names-slapd.conf", "".join("include /etc/ldap/schema/%s.schema\n" % s for s in schemas) + """
modulepath /usr/lib/ldap
moduleload back_mdb
allow bind_v2
TLSCertificateFile /etc/names.crt
TLSCertificateKeyFile /etc/names.key
TLSCACertificateFile /etc/names.crt
database mdb
suffix "dc=example,dc=test"
rootdn "cn=admin,dc=example,dc=test"
rootpw secret
directory /var/lib/names-ldap
""")
    run("mkdir -p /var/lib/names-ldap")
    serve("slapd -f /etc/names-slapd.conf -h 'ldap://%s/ ldaps://%s/' -d 0" % (HOST, HOST), 389, 636)
    at, dn = "-H ldap://%s" % HOST, "-D cn=admin,dc=example,dc=test -w secret"
    base = "dc=example,dc=test"
    people = "".join(
        "dn: uid=u%d,%s\nobjectClass: inetOrgPerson\ncn: u%d\nsn: u%d\n\n" % (i, base, i, i) for i in range(40))
    file("/tmp/base.ldif",
         "dn: %s\nobjectClass: dcObject\nobjectClass: organization\no: x\ndc: example\n\n"
         "%s" % (base, people))
    tls = dict(LDAPTLS_REQCERT="never")
    yield "ldapadd, bind as DN", "ldapadd -x %s %s -f /tmp/base.ldif" % (at, dn)
    yield "ldapsearch, anonymous bind", "ldapsearch -x %s -b %s" % (at, base)
    yield "ldapsearch, bind as DN", "ldapsearch -x %s %s -b %s uid=u3 cn" % (at, dn, base)
    yield "ldapsearch, wrong password", (
        "ldapsearch -x %s -D cn=admin,dc=example,dc=test -w wrong -b %s" % (at, base))
    yield "ldapsearch, long DN", (
        "ldapsearch -x %s -D cn=%s,ou=people,%s -w wrong -b %s" % (at, "a" * 150, base, base))
    yield "ldapsearch, version 2", "ldapsearch -P 2 -x %s %s -b %s uid=u3" % (at, dn, base)
    yield "ldapsearch, StartTLS", (
        "LDAPTLS_REQCERT=never ldapsearch -ZZ -x %s %s -b %s uid=u3" % (at, dn, base))
    yield "ldapsearch, SASL without mechanism (root DSE first)", (
        "ldapsearch %s -b %s -o nettimeout=3 </dev/null" % (at, base))
    yield "ldapsearch, SASL DIGEST-MD5", "ldapsearch -Y DIGEST-MD5 -U admin -w secret %s -b %s" % (at, base)
    yield "ldapsearch, paged", "ldapsearch -x %s %s -b %s -E pr=10/noprompt" % (at, dn, base)
    yield "ldapwhoami", "ldapwhoami -x %s %s" % (at, dn)
    yield "ldapcompare", "ldapcompare -x %s %s uid=u3,%s cn:u3" % (at, dn, base)
    yield "ldapmodify", ("printf 'dn: uid=u3,%s\\nchangetype: modify\\nreplace: sn\\nsn: v\\n' | "
                         "ldapmodify -x %s %s" % (base, at, dn))
    yield "ldapmodrdn", "ldapmodrdn -x %s %s uid=u4,%s uid=u400" % (at, dn, base)
    yield "ldapdelete", "ldapdelete -x %s %s uid=u5,%s" % (at, dn, base)
    yield "ldappasswd", "ldappasswd -x %s %s -s new uid=u6,%s" % (at, dn, base)
    yield "python, search without a bind", lambda: run(
        "python3 - <<'P'\nimport socket\ns=socket.create_connection(('%s',389))\n"
        "s.sendall(bytes.fromhex('3025020101632004000a01000a0100020100020100010100870b"
        "6f626a656374436c61737330 00'.replace(' ','')))\n"
        "print(s.recv(999))\nP" % HOST)
    yield "curl, ldap", "curl -s 'ldap://%s/%s?cn?sub?(uid=u3)'" % (HOST, base)
    yield "ldapsearch over ldaps", (
        "LDAPTLS_REQCERT=never ldapsearch -x -H ldaps://%s %s -b %s uid=u3" % (HOST, dn, base))


@server(_445="smb", _139="netbios smb")
def samba():
    file("/etc/samba/names.conf",
         "[global]\nworkgroup = X\nserver min protocol = NT1\nmap to guest = bad "
         "user\nsmb ports = 445 139\nlog level = 0\nserver role = standalone\n"
         "load printers = no\ndisable spoolss = yes\nlanman auth = yes\nntlm auth = yes\n[share]\npath = "
         "/srv/share\nguest ok = yes\nread only = no\n")
    run(
        "mkdir -p /srv/share && chmod 777 /srv/share && echo hello >/srv/share/a.txt; mkdir -p /run/samba "
        "/var/lib/samba/private; (echo pw; echo pw) | smbpasswd -c /etc/samba/names.conf -a -s root")
    serve("smbd -F --no-process-group -s /etc/samba/names.conf", 445, 139)
    for port in (445, 139):
        for name in ("NT1", "SMB2_02", "SMB2_10", "SMB3"):
            yield "%ssmbclient %s, port %d" % (
                "not promised: " if (name, port) == ("NT1", 445) else "", name, port), (
                "smbclient -p %d -m %s --option='client min protocol=%s' //%s/share -N -c 'ls; get a.txt -'"
                % (port, name, name, HOST))
    yield "smbclient, negotiates from NT1 up", (
        "smbclient --option='client min protocol=NT1' //%s/share -N -c 'put /etc/hosts b.txt; ls'" % HOST)
    yield "smbclient, as a user, SMB3, encrypted", (
        "smbclient -m SMB3 --client-protection=encrypt //%s/share -U root%%pw -c ls" % HOST)
    yield "smbclient -L", "smbclient -L //%s -N" % HOST
    yield "not promised: smbclient, LANMAN1", (
        "smbclient -m LANMAN1 --option='client min protocol=CORE' //%s/share -N -c ls" % HOST)
    yield "rpcclient", "rpcclient -N -U%% %s -c srvinfo" % HOST


@server(_21="ftp")
def proftpd():
    file("/etc/names-proftpd.conf",
         "ServerType standalone\nDefaultServer on\nPort 21\nUseIPv6 off\nUser "
         "root\nGroup root\nModulePath %s/usr/lib/proftpd\nWtmpLog off\n"
         "ScoreboardFile /var/lib/names-scoreboard\n"
         "PidFile /run/proftpd.pid\nServerIdent on \"Crane 7\\nAuthorised persons only\"\nDisplayConnect "
         "/etc/banner-ftp\nRequireValidShell off\n" % BESIDE)
    file("/etc/banner-ftp", "Everything is recorded.\nEach line of this belongs to the greeting.\n")
    run("id walker || useradd -m -s /bin/bash walker; echo walker:pw | chpasswd; mkdir -p /var/run/proftpd")
    serve("%s/usr/sbin/proftpd -n -c /etc/names-proftpd.conf" % BESIDE, 21)
    yield "curl", "curl -s -u walker:pw ftp://%s/" % HOST
    yield "lftp", "lftp -c 'set ftp:ssl-allow no; open -u walker,pw %s; ls'" % HOST
    yield "tnftp", lambda: run("tnftp -n %s" % HOST, "user walker pw\nls\nquit\n")


@server(_21="ftp")
def vsftpd():
    file("/etc/names-vsftpd.conf",
         "listen=YES\nbackground=NO\nanonymous_enable=YES\nlocal_enable=YES\n"
         "write_enable=YES\nanon_upload_enable=YES\nanon_mkdir_write_enable=YES\n"
         "anon_root=/srv/ftp\nsecure_chroot_dir=/var/run/vsftpd/empty\nssl_enable=YES\nallow_anon_ssl=YES\n"
         "force_local_data_ssl=NO\nforce_local_logins_ssl=NO\n"
         "rsa_cert_file=/etc/names.crt\nrsa_private_key_file=/etc/names.key\nrequire_ssl_reuse=NO\n"
         "seccomp_sandbox=NO\nisolate=NO\nisolate_network=NO\n"
         "ftpd_banner=Welcome to a server for the exchange of files.\n")
    run(
        "mkdir -p /var/run/vsftpd/empty /srv/ftp/up && chmod 755 /srv/ftp && chmod 777 /srv/ftp/up && echo "
        "hi >/srv/ftp/a.txt; useradd -m -s /bin/bash walker; echo walker:pw | chpasswd")
    serve("vsftpd /etc/names-vsftpd.conf", 21)
    yield from ftp_clients()


def ftp_clients():
    yield "curl", "curl -s ftp://%s/a.txt" % HOST
    yield "curl, as a user", "curl -s -u walker:pw ftp://%s/" % HOST
    yield "curl, wrong password", "curl -s -u walker:no ftp://%s/" % HOST
    yield "curl, active", "curl -s -P - ftp://%s/" % HOST
    yield "curl, upload", "curl -s -T /etc/hosts ftp://%s/up/h --ftp-create-dirs" % HOST
    yield "curl, AUTH TLS", "curl -s -k --ssl-reqd ftp://%s/a.txt" % HOST
    yield "curl, quotes", "curl -s -Q SYST -Q 'SITE HELP' -Q NOOP ftp://%s/" % HOST
    yield "tnftp", lambda: run("tnftp -n %s" % HOST, "user anonymous x\nls\nget a.txt /tmp/a\npwd\nquit\n")
    yield "tnftp, at once a QUIT", lambda: run("tnftp -n %s" % HOST, "quit\n")
    yield "lftp", (
        "lftp -c 'set ssl:verify-certificate no; set net:timeout 5; open %s; ls; cat a.txt'" % HOST)
    yield "lftp, plain", "lftp -c 'set ftp:ssl-allow no; open -u walker,pw %s; ls; mkdir d; rmdir d'" % HOST
    yield "python", (
        "python3 -c \"from ftplib import FTP; f=FTP('%s'); f.login(); f.dir(); f.quit()\"" % HOST)
    yield "python, FEAT first", (
        "python3 -c \"from ftplib import FTP; f=FTP('%s'); print(f.sendcmd('FEAT')); f.login(); f.quit()\""
        % HOST)


@server(_23="telnet")
def telnetd():
    file("/etc/names-inetd.conf", "telnet stream tcp nowait root /usr/sbin/telnetd telnetd\n")
    run(
        "id walker || useradd -m -s /bin/bash walker; echo walker:pw | chpasswd; cp -n /etc/services /tmp; "
        "grep -q ^telnet /etc/services || echo 'telnet 23/tcp' >>/etc/services; ls -l /usr/sbin/telnetd")
    serve("inetutils-inetd -d /etc/names-inetd.conf", 23)
    yield "telnet, login", lambda: typed(
        "telnet %s" % HOST, ("login:", "walker"), ("assword:", "pw"), ("$ ", "ls /"), ("$ ", "exit"))
    yield "telnet, with a user (-l)", lambda: typed("telnet -l walker %s" % HOST, *LOGIN)
    yield "telnet, wrong password", lambda: typed(
        "telnet %s" % HOST, ("login:", "walker"), ("assword:", "no"), ("ncorrect", None))
    yield "telnet, 8 bits", lambda: typed("telnet -8 %s" % HOST, *LOGIN)
    yield "curl telnet", curled(*LOGIN)
    yield "busybox telnet", lambda: typed("busybox telnet %s" % HOST, *LOGIN)
    yield "a client that refuses all options", lambda: talk(23, [
        (b"\xff", b"\xff\xfc\x18\xff\xfc\x20\xff\xfc\x23\xff\xfc\x27"), (b"login:", b"walker\r\n"),
        (b"assword:", b"")])


@server(_23="telnet")
def telnetd_ssl():
    file("/etc/names-inetd2.conf",
         "23 stream tcp nowait root %s/usr/sbin/in.telnetd in.telnetd -h -L "
         "/bin/login\n" % BESIDE)
    run(
        "id walker || useradd -m -s /bin/bash walker; echo walker:pw | chpasswd; mkdir -p "
        "/etc/telnetd-ssl; "
        "cat /etc/names.key /etc/names.crt >/etc/telnetd-ssl/telnetd.pem")
    serve("inetutils-inetd -d /etc/names-inetd2.conf", 23)
    yield "telnet, login", lambda: typed("telnet %s" % HOST, *LOGIN)
    yield "curl telnet", curled(*LOGIN[:2])


@server(_3306="mysql")
def mariadb():
    run("mkdir -p /run/mysqld && chown mysql /run/mysqld")
    serve(
        "mariadbd --user=mysql --datadir=/var/lib/mysql --bind-address=0.0.0.0 --port=3306 "
        "--innodb-use-native-aio=0 --ssl-cert=/etc/names.crt --ssl-key=/etc/names.key", 3306)
    yield "mariadb, host that may not connect", "mariadb -h %s --skip-ssl -uw -ppw -e 'select 1'" % HOST
    run(
        "mariadb -e \"CREATE USER w@'%' IDENTIFIED BY 'pw'; GRANT ALL ON *.* TO w@'%'; CREATE USER "
        "empty@'%'; CREATE USER ed@'%' IDENTIFIED VIA ed25519 USING PASSWORD('pw')\"")
    yield from mysql_clients()


def mysql_clients():
    at = "-h %s -P 3306" % HOST
    yield "mariadb", "mariadb %s --skip-ssl -uw -ppw -e 'select 1; show databases'" % at
    yield "mariadb, TLS", "mariadb %s --ssl -uw -ppw -e 'select 1'" % at
    yield "mariadb, compressed", "mariadb %s --skip-ssl -C -uw -ppw -e 'select 1'" % at
    yield "mariadb, wrong password", "mariadb %s --skip-ssl -uw -pno -e 'select 1'" % at
    yield "mariadb, no password", "mariadb %s --skip-ssl -uempty -e 'select 1'" % at
    yield "mariadb, with a database", (
        "mariadb %s --skip-ssl -uw -ppw mysql -e 'select count(*) from user'" % at)
    yield "mariadb, user of another way of authentication", (
        "mariadb %s --skip-ssl -ued -ppw -e 'select 1'" % at)
    yield "mariadb-admin ping", "mariadb-admin %s --skip-ssl -uw -ppw ping" % at
    yield "mariadb-dump", "mariadb-dump %s --skip-ssl -uw -ppw mysql user" % at
    yield "pymysql", (
        "python3 -c \"import pymysql; c=pymysql.connect(host='%s',user='w',password='pw'); k=c.cursor(); "
        "k.execute('select 1'); print(k.fetchall())\"" % HOST)


@server(_514="syslog", _601="syslog")
def rsyslog():
    file("/etc/names-rsyslog.conf",
         'module(load="imtcp")\nmodule(load="imudp")\ninput(type="imudp" '
         'port="514")\n'
         'input(type="imtcp" port="514")\ninput(type="imtcp" port="601")\n*.* /var/log/names.log\n')
    serve("rsyslogd -n -f /etc/names-rsyslog.conf -i /run/rsyslogd.pid", 514, 601)
    for port in (514, 601):
        yield "logger, lines over TCP, %d" % port, (
            "logger -n %s -T -P %d --rfc3164 -t crane 'position reached'" % (HOST, port))
    yield "logger, RFC 5424 lines over TCP", (
        "logger -n %s -T -P 514 --rfc5424 -t crane 'position reached'" % HOST)
    yield "logger, octet counts over TCP", (
        "logger -n %s -T -P 514 --octet-count -t crane 'position reached'" % HOST)
    yield "logger, octet counts, RFC 3164", (
        "logger -n %s -T -P 514 --octet-count --rfc3164 -t crane 'position reached'" % HOST)
    yield "logger, many lines over TCP", "seq 30 | logger -n %s -T -P 514 --rfc5424 -t crane" % HOST
    yield "logger, UDP, RFC 3164", "logger -n %s -d -P 514 --rfc3164 -t crane 'position reached'" % HOST
    yield "logger, UDP, RFC 5424", "logger -n %s -d -P 514 --rfc5424 -t crane 'position reached'" % HOST
    yield "logger, UDP, with data", (
        "logger -n %s -d -P 514 --rfc5424 --sd-id x@1 --sd-param a='\"b\"' -p daemon.err -t crane "
        "'position'" % HOST)
    yield "python, UDP", (
        "python3 -c \"import logging.handlers as h,logging; l=logging.getLogger(); "
        "l.addHandler(h.SysLogHandler(('%s',514))); l.error('x')\"" % HOST)
    yield "python, TCP, ends lines with NUL", (
        "python3 -c \"import logging.handlers as h,logging,socket; l=logging.getLogger(); "
        "l.addHandler(h.SysLogHandler(('%s',514),socktype=socket.SOCK_STREAM)); l.error('x'); "
        "l.error('y')\"" % HOST)
    yield "busybox syslogd -R, UDP", (
        "busybox syslogd -n -R %s:514 & await grep -q /dev/log /proc/net/unix; logger -t crane 'from busybox'; "
        "await grep -q 'from busybox' /var/log/names.log; kill %%1" % HOST)
    for label, more in (("lines", ""), ("octet counts", ' TCP_Framing="octet-counted"'),
                        ("RFC 5424", ' template="RSYSLOG_SyslogProtocol23Format"'), ("UDP", None)):
        how = 'protocol="udp"' if more is None else 'protocol="tcp"' + more
        yield "rsyslogd sends, %s" % label, lambda how=how, label=label: run(
            "rm -f /tmp/in.sock; printf '%%s\\n' 'module(load=\"imuxsock\" SysSock.Use=\"off\")' "
            "'input(type=\"imuxsock\" Socket=\"/tmp/in.sock\")' "
            "'*.* action(type=\"omfwd\" target=\"%s\" port=\"514\" %s)' >/tmp/send.conf; rsyslogd -n -f "
            "/tmp/send.conf -i /tmp/send.pid & "
            "await test -S /tmp/in.sock; logger -u /tmp/in.sock -t crane 'position reached'; "
            "logger -u /tmp/in.sock -t crane 'again, %s'; await grep -q 'again, %s' /var/log/names.log; "
            "kill %%1; wait"
            % (HOST, how, label, label))
    for how in ("syslog", "network"):
        yield "syslog-ng sends, %s()" % how, lambda how=how: run(
            "printf '@version: 3.38\\nsource s { pipe(\"/tmp/ng.pipe\"); };\\ndestination d { %s(\"%s\" "
            "transport(\"tcp\") port(514)); };\\nlog { source(s); destination(d); };\\n' >/tmp/ng.conf; rm "
            "-f /tmp/ng.pipe /tmp/ng.ctl; mkfifo /tmp/ng.pipe; "
            "cd /tmp; LD_LIBRARY_PATH=%s/usr/lib/syslog-ng:%s/usr/lib/x86_64-linux-gnu:%s/usr/lib timeout "
            "15 %s/usr/sbin/syslog-ng -F -f /tmp/ng.conf --module-path=$(ls -d %s/usr/lib/syslog-ng/3*) -R "
            "/tmp/ng.persist -c /tmp/ng.ctl -p /tmp/ng.pid & "
            "await test -S /tmp/ng.ctl; echo '<13>Nov 27 10:00:00 crane: reached by %s' >/tmp/ng.pipe; "
            "await grep -q 'reached by %s' /var/log/names.log; kill %%1; wait"
            % (how, HOST, BESIDE, BESIDE, BESIDE, BESIDE, BESIDE, how, how))


@server(_88="kerberos", _464="kerberos", _749="-")
def krb5():
    file("/etc/krb5.conf",
         "[libdefaults]\ndefault_realm = EXAMPLE.TEST\ndns_lookup_kdc = false\n"
         "dns_lookup_realm = false\nrdns = false\n[realms]\n"
         "EXAMPLE.TEST = {\nkdc = %s\nadmin_server = %s\n}\n" % (HOST, HOST))
    for name, limit in (("tcp", 1), ("udp", 30000)):
        run(
            "sed 's/rdns/udp_preference_limit = %d\\nrdns/' /etc/krb5.conf >/etc/krb5-%s.conf" % (limit, name))
    file("/etc/krb5kdc/kdc.conf",
         "[kdcdefaults]\nkdc_ports = 88\nkdc_tcp_ports = 88\n[realms]\n"
         "EXAMPLE.TEST = {\ndatabase_name = /var/lib/krb5kdc/principal\n"
         "max_renewable_life = 7d\n"
         "key_stash_file = /etc/krb5kdc/stash\nacl_file = /etc/krb5kdc/kadm5.acl\n}\n")
    file("/etc/krb5kdc/kadm5.acl", "*/admin *\n")
    run(
        "mkdir -p /var/lib/krb5kdc; kdb5_util create -s -r EXAMPLE.TEST -P master; for p in w w/admin "
        "host/server.example.test host/other; do kadmin.local -q \"addprinc -pw pw $p\"; done; "
        "kadmin.local -q 'addprinc -pw pw +requires_preauth strict'; kadmin.local -q 'modprinc "
        "-maxrenewlife 7d w'; "
        "kadmin.local -q 'modprinc -maxrenewlife 7d krbtgt/EXAMPLE.TEST'", limit=60)
    serve("krb5kdc -n", 88)
    serve("kadmind -nofork", 464, 749)
    for l4 in ("tcp", "udp"):
        c = "export KRB5_CONFIG=/etc/krb5-%s.conf; " % l4
        yield "kinit, %s" % l4, c + "echo pw | kinit -r 2d w"
        yield "kinit with preauthentication, %s" % l4, c + "echo pw | kinit strict"
        yield "kinit, wrong password, %s" % l4, c + "echo no | kinit strict"
        yield "kinit, unknown, %s" % l4, c + "echo no | kinit nobody"
        yield "kinit, long name, %s" % l4, c + "echo no | kinit %s" % ("n" * 180)
        yield "kinit, enterprise name, %s" % l4, c + "echo no | kinit -E w@example.test"
        yield "kinit, anonymous, %s" % l4, c + "kinit -n"
        yield "kinit for kvno, %s" % l4, c + "echo pw | kinit -r 2d w"
        yield "kvno, %s" % l4, c + "kvno host/server.example.test host/other"
        yield "kvno, user to user, %s" % l4, c + "kvno -U w host/other; kvno --u2u /tmp/krb5cc_0 w"
        yield "kinit, renew, %s" % l4, c + "kinit -R"
        yield "kvno, no such service, %s" % l4, c + "kvno http/nowhere"
    yield "kpasswd", lambda: typed(
        "KRB5_CONFIG=/etc/krb5-udp.conf kpasswd w", ("assword for", "pw"), ("new password", "new1"),
        ("again", "new1"))
    yield "kadmin", "kadmin -p w/admin -w pw -q listprincs"


METHODS = (
    "GET HEAD POST PUT DELETE OPTIONS TRACE PATCH PROPFIND PROPPATCH MKCOL COPY MOVE LOCK UNLOCK REPORT MKCALENDAR "
    "CHECKOUT CHECKIN MERGE MKACTIVITY VERSION-CONTROL SEARCH ACL BIND REBIND LABEL UPDATE BASELINE-CONTROL NOTIFY "
    "SUBSCRIBE UNSUBSCRIBE M-SEARCH PURGE LINK UNLINK QUERY").split()


@server(_80="http", _443="tls")
def nginx():
    file("/etc/names-nginx.conf",
         "daemon off; master_process off; error_log /dev/null; pid /run/n.pid; "
         "user root;\ninclude /etc/nginx/modules-enabled/*.conf;\nevents {}\n"
         "http { access_log off; server { listen 80; root /srv/www; dav_methods PUT DELETE MKCOL COPY "
         "MOVE; dav_ext_methods PROPFIND OPTIONS LOCK UNLOCK; dav_ext_lock zone=l;\n"
         "location /old { return 301 /; } location /in { auth_basic x; auth_basic_user_file /dev/null; } "
         "}\n"
         "dav_ext_lock_zone zone=l:1m; server { listen 443 ssl http2; ssl_protocols TLSv1 TLSv1.1 TLSv1.2 "
         "TLSv1.3; ssl_ciphers ALL:@SECLEVEL=0; ssl_certificate /etc/names.crt; ssl_certificate_key "
         "/etc/names.key; root /srv/www; } }\n")
    run("mkdir -p /srv/www; echo page >/srv/www/index.html; head -c 300000 /dev/urandom >/srv/www/big")
    serve("nginx -c /etc/names-nginx.conf", 80, 443)
    for m in METHODS:
        yield "curl %s" % m, "curl -s -m 4 %s http://%s/" % ("-I" if m == "HEAD" else "-X " + m, HOST)
    yield "curl, HTTP/1.0", "curl -s -0 http://%s/big -o /dev/null" % HOST
    yield "curl, long header", "curl -s -H 'X-Long: %s' http://%s/" % ("y" * 5000, HOST)
    yield "curl, upload, expects 100", (
        "head -c 200000 /dev/urandom | curl -s -H 'Expect: 100-continue' -T - http://%s/up" % HOST)
    yield "curl, asks to upgrade to h2c", "curl -s --http2 http://%s/" % HOST
    yield "curl, asks for a websocket", (
        "curl -s -m 3 -H 'Connection: Upgrade' -H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13' -H "
        "'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==' http://%s/" % HOST)
    yield "curl, as a proxy, absolute", "curl -s -x http://%s:80 http://elsewhere.example/" % HOST
    yield "curl, as a proxy, CONNECT", "curl -s -k -x http://%s:80 https://elsewhere.example/" % HOST
    yield "curl, with a password", "curl -s -u a:b http://%s/in/" % HOST
    yield "not promised: netcat, HTTP/0.9", "printf 'GET /\\r\\n' | timeout 2 nc %s 80" % HOST
    yield "cadaver", lambda: run(
        "cadaver http://%s/" % HOST, "ls\nmkcol d\nput /etc/hosts d/h\nlock d/h\nunlock d/h\nquit\n", limit=10)
    yield "python", "python3 -c \"import urllib.request as u; u.urlopen('http://%s/')\"" % HOST
    yield "git, smart http", "git ls-remote http://%s/r.git" % HOST
    for v in ("1", "1_1", "1_2", "1_3"):
        yield "openssl s_client, TLS %s" % v.replace("_", "."), (
            "printf 'GET / HTTP/1.0\\r\\n\\r\\n' | openssl s_client -quiet -tls%s -cipher ALL:@SECLEVEL=0 "
            "-connect %s:443" % (v, HOST))
    yield "gnutls-cli", lambda: typed(
        "gnutls-cli --insecure %s -p 443" % HOST, ("Handshake was completed", "GET / HTTP/1.0\r\n\r"),
        ("200 OK", None))
    yield "curl, https", "curl -s -k https://%s/" % HOST
    yield "curl, https, HTTP/1.1", "curl -s -k --http1.1 https://%s/" % HOST
    yield "openssl, post-quantum-sized hello", (
        "printf 'GET / HTTP/1.0\\r\\n\\r\\n' | openssl s_client -quiet -groups P-521:P-384:X25519 "
        "-servername %s -connect %s:443" % ("a" * 60 + ".example", HOST))


@server(_8080="http", _8443="tls")
def nghttpd():
    run("mkdir -p /srv/www; echo page >/srv/www/index.html")
    serve("nghttpd --no-tls -d /srv/www 8080", 8080)
    serve("nghttpd -d /srv/www 8443 /etc/names.key /etc/names.crt", 8443)
    yield "nghttp", "nghttp http://%s:8080/index.html" % HOST
    yield "nghttp, upgrades", "nghttp -u http://%s:8080/index.html" % HOST
    yield "curl, prior knowledge", "curl -s --http2-prior-knowledge http://%s:8080/index.html" % HOST
    yield "curl, prior knowledge, upload", (
        "curl -s --http2-prior-knowledge -T /etc/hosts http://%s:8080/h" % HOST)
    yield "client that waits for the server's settings", lambda: talk(8080, [
        (b"\4\0\0\0\0\0", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"), (b"\4\1\0\0\0\0", b"")])
    yield "nghttp over TLS", "nghttp https://%s:8443/index.html" % HOST


@server(_22="ssh", _2222="ssh", _2022="ssh")
def openssh():
    file("/etc/banner", "Authorised persons only.\nEverything is recorded.\n")
    run(
        "mkdir -p /run/sshd /root/.ssh; ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id; cp "
        "/root/.ssh/id.pub /root/.ssh/authorized_keys; ssh-keygen -A; "
        "mkdir -p /etc/dropbear; dropbearkey -t ed25519 -f /etc/dropbear/k; echo 'Host *\n"
        "StrictHostKeyChecking no\nUserKnownHostsFile /dev/null\nIdentityFile /root/.ssh/id' "
        ">/root/.ssh/config; "
        "dropbearconvert openssh dropbear /root/.ssh/id /root/.ssh/dropbear; echo root:pw | chpasswd")
    serve("/usr/sbin/sshd -D -e -o PermitRootLogin=yes -o Banner=/etc/banner", 22)
    serve("dropbear -F -E -r /etc/dropbear/k -p 2022", 2022)
    serve(
        "socat TCP-LISTEN:2222,fork,reuseaddr SYSTEM:'printf \"Welcome to the terminal.\\r\\nPlease "
        "wait.\\r\\n\"; exec nc %s 22'" % HOST, 2222)
    for port in (22, 2022, 2222):
        yield "ssh, port %d" % port, "ssh -p %d %s true" % (port, HOST)
    yield "ssh, wrong password", "sshpass -p no ssh -o PubkeyAuthentication=no %s true" % HOST
    yield "ssh, tunnels", "ssh -f -o ExitOnForwardFailure=yes -L 9999:%s:22 %s sleep .2" % (HOST, HOST)
    yield "sftp", "echo ls | sftp -b - %s" % HOST
    yield "scp", "scp -O %s:/etc/hosts /tmp/h" % HOST
    yield "ssh-keyscan", "ssh-keyscan %s" % HOST
    yield "dbclient", "dbclient -y -i /root/.ssh/dropbear root@%s true" % HOST
    yield "dbclient to dropbear", "dbclient -y -i /root/.ssh/dropbear -p 2022 root@%s true" % HOST
    yield "a client that waits", lambda: talk(22, [
        (b"\r\n", b"SSH-2.0-Putty_Release_0.78\r\n"), (b"curve25519", b"")])


def second(transfers):
    """Waits until the second server has fetched `transfers` versions of the zone. Starts that
    server for the first one."""
    if transfers == 1:
        serve("named -g -c /etc/second-named.conf -n 1")
    return until(lambda: said().count("Transfer status: success") >= transfers, limit=20)


@server(_53="dns", _853="tls")
def bind9():
    keys = ''.join('%s;' % x for x in ("any",))
    file("/etc/names-named.conf",
         'options { directory "/var/cache/bind"; listen-on { %s; }; listen-on-v6 '
         '{ none; }; recursion no; dnssec-validation no; allow-transfer { %s }; '
         'pid-file "/run/a.pid"; session-keyfile "/run/a.key"; notify explicit; '
         'notify-source 10.30.0.1; '
         'also-notify { 10.30.0.2; }; };\ncontrols {};\nzone "example.test" { type master; file '
         '"/var/cache/bind/z"; allow-update { any; }; ixfr-from-differences yes; };\n' % (HOST, keys))
    file("/etc/second-named.conf",
         'options { directory "/var/cache/bind"; listen-on { 10.30.0.2; }; '
         'listen-on-v6 { none; }; recursion no; dnssec-validation no; pid-file '
         '"/run/b.pid"; session-keyfile "/run/b.key"; };\ncontrols {};\n'
         'zone "example.test" { type slave; file "/var/cache/bind/z2"; masters { %s; }; };\n' % HOST)
    big = "".join("h%d A 10.1.%d.%d\n" % (i, i // 250, i % 250) for i in range(400))
    file("/var/cache/bind/z",
         "$TTL 60\n@ SOA ns. root. 1 60 60 600 60\n@ NS server.example.test.\nserver A 10.30.0.1\n"
         "www A 10.0.0.1\nlong TXT %s\n@ MX 5 www\n%s" % (" ".join('"%s"' % ("x" * 200) for _ in range(15)), big))
    run("chmod 777 /var/cache/bind; chmod 666 /var/cache/bind/z")
    serve("named -g -c /etc/names-named.conf -n 1", 53)
    at = "@%s +tries=1 +time=3" % HOST
    for l4, opt in (("UDP", "+notcp"), ("TCP", "+tcp")):
        for label, what in (
                ("A", "www.example.test"), ("NXDOMAIN", "none.example.test"), ("MX", "example.test MX"),
                ("ANY", "example.test ANY"), ("long TXT", "+bufsize=512 +ignore long.example.test TXT"),
                ("no EDNS", "+noedns www.example.test"),
                ("client subnet, NSID, cookie", "+subnet=10.0.0.0/8 +nsid +cookie www.example.test"),
                ("version.bind", "CH TXT version.bind"), ("root", ". NS"), ("refused", "elsewhere.example"),
                ("status", "+opcode=status www.example.test"), ("header only", "+header-only"),
                ("bad EDNS version", "+edns=99 www.example.test"),
                ("DNSSEC, CD, AD", "+dnssec +cdflag +adflag www.example.test"),
                ("name of 250 bytes", ".".join(["l" * 60] * 3 + ["m" * 50]) + ".example.test"),
                ("SOA", "example.test SOA"), ("PTR", "-x 10.0.0.1"), ("IXFR", "example.test IXFR=1"),
                ("type 65280, class 255", "-t TYPE65280 -c ANY example.test")):
            yield "%sdig, %s, %s" % ("not promised: " if label == "status" else "", label, l4), (
                "dig %s %s %s" % (opt, at, what))
    yield "dig, AXFR", "dig %s example.test AXFR" % at
    yield "dig, several over one session", (
        "dig +tcp +keepopen %s www.example.test long.example.test TXT none.example.test" % at)
    yield "dig, too long for UDP, over TCP then", "dig +bufsize=512 %s long.example.test TXT" % at
    yield "nsupdate, UDP", lambda: run(
        "nsupdate", "server %s\nzone example.test\nupdate add new.example.test 60 A 10.0.0.9\nsend\n" % HOST)
    yield "nsupdate, TCP", lambda: run(
        "nsupdate -v", "server %s\nzone example.test\nprereq yxdomain new.example.test\nupdate delete "
                       "new.example.test\nsend\n" % HOST)
    yield "dig, IXFR after an update, TCP", "dig +tcp %s example.test IXFR=1" % at
    yield "kdig", "kdig @%s www.example.test" % HOST
    yield "kdig, TCP, padding", "kdig +tcp +padding=400 @%s www.example.test" % HOST
    yield "kdig, notify", "kdig @%s NOTIFY=7 example.test" % HOST
    yield "host", "host -t A www.example.test %s" % HOST
    yield "glibc", lambda: run(
        "sed -i 's/10.30.0.9/%s/' /etc/resolv.conf; getent ahosts www.example.test; python3 -c 'import "
        "socket; socket.gethostbyname(\"h3.example.test\")'; sed -i 's/%s/10.30.0.9/' /etc/resolv.conf"
        % (HOST, HOST))
    yield "named, second server: SOA, transfer", lambda: second(1)
    yield "named, NOTIFY and IXFR behind an update", lambda: (
        run("nsupdate", "server %s\nzone example.test\nupdate add z.example.test 60 A 10.0.0.9\nsend\n" % HOST),
        second(2))
    yield "unbound forwards", lambda: run(
        "printf 'server:\\n interface: 127.0.0.1@5353\\n do-daemonize: no\\n chroot: \"\"\\n username: "
        "\"\"\\n pidfile: \"\"\\n do-not-query-localhost: no\\n module-config: iterator\\n local-zone: "
        "test. nodefault\\n"
        "forward-zone:\\n name: \".\"\\n forward-addr: %s\\n' "
        ">/tmp/u.conf; unbound -c /tmp/u.conf & await grep -q :14E9 "
        "/proc/net/udp; dig -p 5353 @127.0.0.1 www.example.test; dig -p "
        "5353 @127.0.0.1 long.example.test TXT; kill %%1" % HOST)
    yield "dnsmasq forwards", lambda: run(
        "dnsmasq -k -p 5354 -S %s -R -h --user=root & await grep -q :14EA /proc/net/udp; dig -p 5354 "
        "@127.0.0.1 www.example.test; kill %%1" % HOST)


@server(_123="ntp")
def ntpsec():
    file("/etc/names-ntp.conf",
         "server 127.127.1.0\nfudge 127.127.1.0 stratum 3\nrestrict default\n"
         "restrict 127.0.0.1\ntos orphan 4 minclock 1 minsane 1\n")
    serve("ntpd -n -x -c /etc/names-ntp.conf -f /tmp/drift", 123)
    yield "ntpdig", "ntpdig -t 2 %s" % HOST
    yield "ntpdig, four samples", "ntpdig -t 2 -S 127.0.0.5 -c %s %s" % (HOST, HOST)
    yield "chronyd", "timeout 8 %s/usr/sbin/chronyd -u root -Q -t 4 'server %s iburst'" % (BESIDE, HOST)
    yield "chronyd, interleaved, extensions", (
        "timeout 8 %s/usr/sbin/chronyd -u root -Q -t 4 'server %s iburst xleave copy extfield F323'"
        % (BESIDE, HOST))
    for v in (1, 2, 3, 4):
        yield "python, client of version %d" % v, (
            "python3 -c \"import socket; s=socket.socket(2,2); s.settimeout(2); "
            "s.sendto(bytes([%d])+bytes(47),('%s',123)); print(s.recv(99))\"" % (v << 3 | 3, HOST))
    yield "not promised: python, private mode", (
        "python3 -c \"import socket; s=socket.socket(2,2); "
        "s.sendto(bytes([0x17,0,3,42])+bytes(188),('%s',123))\"" % HOST)
    yield "ntpq, control mode", "ntpq -c rv -c peers -n %s" % HOST


@server(_1883="mqtt", _8883="tls", _9001="http")
def mosquitto():
    file("/etc/names-mosquitto.conf",
         "allow_anonymous true\nlistener 1883\nlistener 8883\ncertfile "
         "/etc/names.crt\nkeyfile /etc/names.key\nlistener 9001\nprotocol "
         "websockets\nuser root\n")
    serve("mosquitto -c /etc/names-mosquitto.conf", 1883, 8883)
    for v in ("mqttv31", "mqttv311", "mqttv5"):
        yield "mosquitto_pub %s" % v, "mosquitto_pub -h %s -V %s -t a/b -m hello" % (HOST, v)
        yield "mosquitto_sub %s" % v, (
            "timeout 9 stdbuf -oL mosquitto_sub -d -C 1 -h %s -V %s -t a/# -v >/tmp/sub & await grep -q "
            "SUBACK /tmp/sub; "
            "mosquitto_pub -h %s -V %s -t a/b -m 1 -q 2; wait" % (HOST, v, HOST, v))
        yield "mosquitto_pub %s, will, user, id" % v, (
            "mosquitto_pub -h %s -V %s -i crane-7 -u w -P pw --will-topic gone --will-payload 1 -t a -m x "
            "-q 1 -r" % (HOST, v))
        yield "mosquitto_pub %s, keeps its session" % v, (
            "mosquitto_sub -h %s -V %s -i keeps -c -q 1 -t a -E" % (HOST, v))
    yield "mosquitto_pub 5, properties", (
        "mosquitto_pub -h %s -V 5 -t a -m x -D CONNECT session-expiry-interval 60 -D CONNECT user-property "
        "a b -D PUBLISH content-type t" % HOST)
    yield "mosquitto_pub, long client id and payload", (
        "mosquitto_pub -h %s -i %s -t a -m %s" % (HOST, "i" * 200, "m" * 5000))
    yield "mosquitto_rr", "timeout 2 mosquitto_rr -h %s -V 5 -t q -e a -m x" % HOST
    yield "paho", (
        "python3 -c \"import paho.mqtt.client as m; c=m.Client(); c.connect('%s'); c.loop_start(); "
        "c.publish('a','b').wait_for_publish(); c.disconnect()\"" % HOST)
    yield "mosquitto_pub over TLS", (
        "mosquitto_pub -h %s -p 8883 --cafile /etc/names.crt --insecure -t a -m x" % HOST)


@server(_3389="rdp")
def xrdp():
    run(
        "mkdir -p /run/xrdp/sockdir; sed -i 's#^certificate=.*#certificate=/etc/names.crt#; "
        "s#^key_file=.*#key_file=/etc/names.key#; s#^security_layer=.*#security_layer=negotiate#; "
        "s#^crypt_level=.*#crypt_level=high#' /etc/xrdp/xrdp.ini; "
        "[ -f /etc/xrdp/rsakeys.ini ] || xrdp-keygen xrdp /etc/xrdp/rsakeys.ini")
    serve("xrdp --nodaemon", 3389)
    serve("Xvfb :9 -screen 0 800x600x16")
    until(lambda: exists("/tmp/.X11-unix/X9"))
    for sec in ("rdp", "tls", "nla", ""):
        yield "xfreerdp %s" % (sec or "negotiates"), (
            "DISPLAY=:9 timeout 4 xfreerdp /v:%s /u:walker /p:pw /cert:ignore %s"
            % (HOST, "/sec:" + sec if sec else ""))
    yield "xfreerdp, auth only", (
        "DISPLAY=:9 timeout 4 xfreerdp /v:%s /u:walker /p:pw /cert:ignore +auth-only" % HOST)
    yield "xfreerdp, load-balance cookie", (
        "DISPLAY=:9 timeout 4 xfreerdp /v:%s /u:w /p:pw /cert:ignore /load-balance-info:tsv://MS.1" % HOST)
    yield "xfreerdp, restricted admin", (
        "DISPLAY=:9 timeout 4 xfreerdp /v:%s /u:w /p:pw /cert:ignore /restricted-admin" % HOST)
    yield "rdesktop", "DISPLAY=:9 timeout 4 rdesktop -u walker -p pw %s </dev/null" % HOST
    yield "rdesktop, version 4", "DISPLAY=:9 timeout 4 rdesktop -4 -u walker -p pw %s </dev/null" % HOST


@server(_5901="vnc", _5902="vnc", _5903="vnc")
def vnc():
    run("x11vnc -storepasswd secret /etc/names-vnc")
    for display, port, more in ((1, 5901, "None"), (2, 5902, "VncAuth,TLSVnc -PasswordFile /etc/names-vnc")):
        serve("Xtigervnc :%d -rfbport %d -geometry 320x200 -SecurityTypes %s" % (display, port, more), port)
    serve("Xvfb :9 -screen 0 320x200x16")
    until(lambda: exists("/tmp/.X11-unix/X9"))
    serve("x11vnc -display :9 -rfbport 5903 -rfbauth /etc/names-vnc -forever -shared", 5903)
    for port in (5901, 5902, 5903):
        password = "" if port == 5901 else "-passwd /etc/names-vnc "
        at = "%s%s::%d" % (password, HOST, port)
        yield "xtigervncviewer, port %d" % port, "DISPLAY=:9 timeout 3 xtigervncviewer %s" % at
        yield "xtightvncviewer, port %d" % port, "DISPLAY=:9 timeout 3 xtightvncviewer %s" % at
        yield "vncsnapshot, port %d" % port, (
            "vncsnapshot %s%s:%d /tmp/a.jpg" % (password, HOST, port - 5900))
    yield "xtigervncviewer, wrong password", (
        "head -c 8 /dev/zero >/tmp/wrong; DISPLAY=:9 timeout 3 xtigervncviewer -passwd /tmp/wrong %s::5902"
        % HOST)
    yield "a client of version 3.3", lambda: talk(
        5901, [(b"\n", b"RFB 003.003\n"), (b"\0\0\0\1", b"\1"), (b"\0", b"")])


CAMERA = """
import gi
gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer
Gst.init(None)
server, camera = GstRtspServer.RTSPServer(), GstRtspServer.RTSPMediaFactory()
server.set_service("8554")
camera.set_launch("( videotestsrc num-buffers=100 ! video/x-raw,width=160,height=120 ! jpegenc ! "
                  "rtpjpegpay name=pay0 )")
server.get_mount_points().add_factory("/camera", camera)
server.attach(None)
GLib.MainLoop().run()
"""


@server(_8554="rtsp")
def rtsp():
    file("/etc/names-camera.py", CAMERA)
    serve("python3 /etc/names-camera.py", 8554)
    at = "rtsp://%s:8554/camera" % HOST
    for way in ("tcp", "udp"):
        yield "ffmpeg, %s" % way, (
            "ffmpeg -v error -rtsp_transport %s -i %s -frames:v 3 -f null -" % (way, at))
        yield "gst-launch, %s" % way, (
            "gst-launch-1.0 rtspsrc location=%s protocols=%s ! decodebin ! fakesink num-buffers=3" % (at, way))
    yield "ffprobe", "ffprobe -v error %s" % at
    yield "ffprobe, no such camera", "ffprobe -v error rtsp://%s:8554/none" % HOST
    yield "curl, OPTIONS", "curl -s -m 4 %s" % at
    yield "curl, DESCRIBE", "curl -s -m 4 -X DESCRIBE %s" % at
    yield "a client that asks for what there is", lambda: talk(8554, [
        (None, b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n"), (b"\r\n\r\n", b"")])


@server(_4433="quic", _4434="quic")
def quic():
    run("mkdir -p /srv/www; echo page >/srv/www/index.html; head -c 300000 /dev/urandom >/srv/www/big")
    for port, more in ((4433, ""), (4434, "-V ")):
        serve("gtlsserver -q %s-d /srv/www %s %d /etc/names.key /etc/names.crt" % (more, HOST, port), port)
        with_it = (
            "timeout 5 gtlsclient -q --exit-on-all-streams-close %%s %s %d https://server.example.test:%d/%%s"
            % (HOST, port, port))
        yield "gtlsclient, port %d" % port, with_it % ("", "index.html")
        yield "gtlsclient, many packets, port %d" % port, with_it % ("", "big")
        yield "not promised: gtlsclient, a draft of version 2, port %d" % port, (
            with_it % ("-v 0x709a50c4", "index.html"))
        yield "gtlsclient, a version that there is not, port %d" % port, (
            with_it % ("-v 0x1a2a3a4a", "index.html"))
        yield "gtlsclient, keeps its session, port %d" % port, (
            with_it % ("--session-file /tmp/s --tp-file /tmp/t", "index.html"))
        yield "gtlsclient, goes on with it at once, port %d" % port, with_it % (
            "--session-file /tmp/s --tp-file /tmp/t -d /etc/hosts", "index.html")
        yield "gtlsclient, large hello, port %d" % port, with_it % (
            "--groups=-GROUP-ALL:+GROUP-SECP521R1 --sni=%s.example" % ("a" * 60), "index.html")
        yield "gtlsclient, long connection id, port %d" % port, (
            with_it % ("--dcid=%s" % ("ab" * 18), "index.html"))


@server(_5432="postgresql")
def postgresql():
    run(
        "mkdir -p /var/run/postgresql /tmp/pg && chown postgres /var/run/postgresql /tmp/pg; cp "
        "/etc/names.key /tmp/pg.key; chown postgres /tmp/pg.key; chmod 600 /tmp/pg.key; "
        "su postgres -c '/usr/lib/postgresql/15/bin/initdb -D /tmp/pg -A md5 --pwfile=<(echo pw) "
        ">/dev/null'; echo 'host all all 0.0.0.0/0 md5\nhost replication all 0.0.0.0/0 md5' "
        ">>/tmp/pg/pg_hba.conf", limit=60)
    serve(
        "su postgres -c \"/usr/lib/postgresql/15/bin/postgres -D /tmp/pg -c listen_addresses=%s -c ssl=on "
        "-c ssl_cert_file=/etc/names.crt -c ssl_key_file=/tmp/pg.key -c dynamic_shared_memory_type=mmap\""
        % HOST, 5432)
    until(lambda: exists("/var/run/postgresql/.s.PGSQL.5432"))
    for mode in ("disable", "allow", "prefer", "require"):
        yield "psql, sslmode=%s" % mode, (
            "PGPASSWORD=pw psql 'host=%s user=postgres sslmode=%s' -c 'select 1'" % (HOST, mode))
    yield "psql, wrong password", (
        "PGPASSWORD=no psql 'host=%s user=postgres sslmode=disable' -c 'select 1'" % HOST)
    yield "psql, GSS first", (
        "PGPASSWORD=pw psql 'host=%s user=postgres sslmode=disable gssencmode=prefer' -c 'select 1'" % HOST)
    yield "psql, cancelled", (
        "export PGPASSWORD=pw; asleep() { psql 'host=/var/run/postgresql user=postgres' -Atc \"select "
        "query from "
        "pg_stat_activity where state = 'active'\" | grep -q '^select pg_sleep'; }; "
        "psql 'host=%s user=postgres sslmode=disable' -c 'select pg_sleep(5)' & await asleep; kill -INT "
        "$!; wait" % HOST)
    yield "pg_isready", "pg_isready -h %s" % HOST
    yield "pg_dump", "PGPASSWORD=pw PGSSLMODE=disable pg_dump -h %s -U postgres postgres" % HOST
    yield "replication", (
        "PGPASSWORD=pw psql 'host=%s user=postgres sslmode=disable replication=database dbname=postgres' "
        "-c IDENTIFY_SYSTEM" % HOST)
    yield "psycopg2", (
        "python3 -c \"import psycopg2; c=psycopg2.connect('host=%s user=postgres password=pw "
        "dbname=postgres options=-cgeqo=off'); k=c.cursor(); k.execute('select 1')\"" % HOST)


@server(_161="snmp", _162="snmp")
def snmpd():
    file("/etc/names-snmpd.conf",
         "rocommunity public\nrwcommunity private\ncreateUser w SHA longpassword "
         "AES longpassword\nrwuser w\nsysLocation x\n")
    file("/etc/names-trapd.conf", "disableAuthorization yes\n")
    serve("snmpd -f -Lo -C -c /etc/names-snmpd.conf udp:%s:161" % HOST, 161)
    serve("snmptrapd -f -Lo -C -c /etc/names-trapd.conf udp:%s:162" % HOST, 162)
    at, o = "-t 2 -r 0 %s" % HOST, ".1.3.6.1.2.1.1"
    for v in ("1", "2c"):
        yield "snmpget %s" % v, "snmpget -v%s -c public %s %s.3.0" % (v, at, o)
        yield "snmpwalk %s" % v, "snmpwalk -v%s -c public %s %s" % (v, at, o)
        yield "snmpset %s" % v, "snmpset -v%s -c private %s %s.6.0 s y" % (v, at, o)
    yield "snmpbulkwalk", "snmpbulkwalk -v2c -c public %s .1.3.6.1.2.1" % at
    yield "snmpget 3, no security", "snmpget -v3 -u w -l noAuthNoPriv %s %s.3.0" % (at, o)
    yield "snmpget 3, sealed", (
        "snmpget -v3 -u w -l authPriv -a SHA -A longpassword -x AES -X longpassword %s %s.3.0" % (at, o))
    yield "snmpget, long community", "snmpget -v2c -c %s %s %s.3.0" % ("c" * 100, at, o)
    yield "snmptrap 1", "snmptrap -v1 -c public %s .1.3.6.1.4.1.1 10.0.0.1 6 1 1" % HOST
    yield "snmptrap 2c", "snmptrap -v2c -c public %s 1 .1.3.6.1.4.1.1" % HOST
    yield "snmpinform", "snmpinform -v2c -c public %s 1 .1.3.6.1.4.1.1" % HOST


@server(_25="smtp", _143="imap", _110="pop3")
def mail():
    run(
        "postconf -e smtpd_tls_cert_file=/etc/names.crt smtpd_tls_key_file=/etc/names.key "
        "smtpd_tls_security_level=may inet_interfaces=all maillog_file=/dev/stdout compatibility_level=3.6 "
        "'mynetworks=127.0.0.0/8'; id walker || useradd -m walker; echo walker:pw | chpasswd")
    file("/etc/dovecot/local.conf",
         "ssl_cert = </etc/names.crt\nssl_key = </etc/names.key\nprotocols = "
         "imap pop3\nlisten = *\ndisable_plaintext_auth = no\nlog_path = "
         "/dev/stderr\n")
    serve("postfix start-fg", 25)
    serve("dovecot -F", 143, 110)
    yield "swaks", "swaks --to root@server --from a@b.test --server %s" % HOST
    yield "openssl, STARTTLS", (
        "printf 'EHLO a\\r\\nQUIT\\r\\n' | openssl s_client -quiet -starttls smtp -connect %s:25" % HOST)
    yield "swaks, HELO", "swaks --to root@server --from a@b.test --protocol SMTP --server %s" % HOST
    yield "curl, imap", "curl -s -u walker:pw imap://%s/INBOX" % HOST
    yield "curl, imap, STARTTLS", "curl -s -k --ssl-reqd -u walker:pw imap://%s/INBOX" % HOST
    yield "curl, pop3", "curl -s -u walker:pw pop3://%s/" % HOST


@server(_6379="-", _11211="-", _873="-", _6667="-", _9418="-")
def others():
    serve("redis-server --bind %s --protected-mode no --save ''" % HOST, 6379)
    serve("memcached -u root -l %s" % HOST, 11211)
    file("/etc/names-rsync.conf", "[x]\npath = /etc\nuse chroot = no\n")
    serve("rsync --daemon --no-detach --config /etc/names-rsync.conf", 873)
    run("mkdir -p /srv/git && git init -q --bare /srv/git/r.git")
    serve("git daemon --export-all --base-path=/srv/git", 9418)
    yield "redis-cli", "redis-cli -h %s set a b; redis-cli -h %s info" % (HOST, HOST)
    yield "memcached, text", (
        "printf 'set a 0 0 1\\r\\nx\\r\\nget a\\r\\nquit\\r\\n' | timeout 2 nc %s 11211" % HOST)
    yield "rsync", "rsync rsync://%s/x/hosts /tmp/" % HOST
    yield "git", "git ls-remote git://%s/r.git" % HOST
    file("/etc/names-ircd.conf",
         "[Global]\nName = irc.example.test\nServerUID = root\nPorts = 6667\n"
         "[Options]\nPAM = no\nIdent = no\nDNS = no\n")
    serve("ngircd -n -f /etc/names-ircd.conf", 6667)
    yield "a client of irc", lambda: talk(6667, [
        (None, b"NICK a\r\nUSER a 0 * :a\r\n"), (b"MOTD", b"JOIN #x\r\nQUIT\r\n"), (b"ERROR", b"")])
