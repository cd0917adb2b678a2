"""Runs a shell script whose aws commands are the CLI's own code, already loaded.

Usage: PYTHON aws.py SCRIPT, by the interpreter that the aws program itself names.

A start of the CLI takes most of a second of computing, and a call a twentieth of
that. So the CLI is loaded once, and each command of the script runs in a copy of
the process: the script writes its arguments to one pipe and reads the exit code
from another (see aws.sh). The copy has nothing of commands before it. It has the
folder and the variables that this process began with, and no input; a script has
one command at a time.
"""

import gc
import os
import subprocess
import sys
import traceback

from awscli import clidriver

SERVICES = "personalize", "personalize-runtime", "personalize-events", "s3"


def load():
    """Builds the CLI and reads the models of services, which each command would do."""
    driver = clidriver.create_clidriver()
    for name in SERVICES:
        driver.session.create_client(name)
        commands(commands(driver)[name])
    gc.freeze()
    return driver


def commands(of):
    """The commands below one, which version 1 has by another name than version 2."""
    return of.subcommand_table if hasattr(of, "subcommand_table") else of._get_command_table()


def words(requests):
    """Reads one command: how many words, and each of them ended by a zero byte."""

    def word():
        out = bytearray()
        while (b := requests.read(1)) not in (b"", b"\0"):
            out += b
        return out.decode()

    count = word()
    return [word() for _ in range(int(count))] if count else None


def run(driver, shell, out, argv):
    """Is the aws program from here on, with the output and errors of a shell, and no input."""
    code = 255
    try:
        for fd, of in (1, out), (2, "2"):
            os.dup2(os.open(f"/proc/{shell}/fd/{of}", os.O_WRONLY | os.O_APPEND), fd)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        try:
            code = driver.main(argv)
        except SystemExit as e:
            code = e.code if isinstance(e.code, int) else int(e.code is not None)
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def main():
    driver = load()
    requests, ask = os.pipe()
    answers, answer = os.pipe()
    script = subprocess.Popen(sys.argv[1:], env={**os.environ, "AWS_CALL": f"{ask} {answers}"}, pass_fds=(ask, answers))
    os.close(ask)
    os.close(answers)
    with os.fdopen(requests, "rb") as requests:
        while (argv := words(requests)) is not None:
            pid = os.fork()
            if pid == 0:
                run(driver, argv[0], argv[1], argv[2:])
            _, status = os.waitpid(pid, 0)
            os.write(answer, b"%d\n" % os.waitstatus_to_exitcode(status))
    sys.exit(script.wait())


main()
