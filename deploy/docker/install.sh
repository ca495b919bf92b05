#!/bin/sh
# The steps that make the images. The Dockerfile calls nothing else; `make images-check` runs them in a fresh tree.
#
#   install.sh tools                what the build itself needs, into /opt/build
#   install.sh dependencies IMAGE   an image's locked dependencies, into /opt/prsm/venv, and its bill of materials
#   install.sh code                 generated code, and each image's own tree, into /out/IMAGE
#   install.sh user                 the user that every process runs as, and the folders that it may write to
#
# pip is configured by its own variables (PIP_INDEX_URL, PIP_FIND_LINKS, ...). Whatever is installed is in a lock file,
# with its hash.
set -eu

HERE=$(dirname "$0")
UID_GID=10001
# Files carry this moment, so that the same sources give the same layers.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-0}
export SOURCE_DATE_EPOCH

install_lock() { # LOCK VENV
    python -m venv --without-pip --symlinks "$2"
    python -m pip --python "$2/bin/python" install --quiet --disable-pip-version-check --no-cache-dir --no-compile \
        --no-deps --only-binary :all: --require-hashes --requirement "$1"
}

# Compiled once, here: the processes' file system is read-only. Checked by nothing at start, so it does not depend on
# any file's time.
compile_code() { # FOLDER
    python -m compileall -q --invalidation-mode unchecked-hash -j 1 "$1"
}

settle() { # FOLDER
    find "$1" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
}

case ${1:-} in
tools)
    install_lock "$HERE/locks/build.lock" /opt/build
    ;;
dependencies)
    install_lock "$HERE/locks/$2.lock" /opt/prsm/venv
    # Libraries' own test suites: a fifth of the scientific ones' size.
    find /opt/prsm/venv/lib -type d -name tests -prune -exec rm -r {} +
    # Of the graphics toolkit only its emoji font is used, of the fonts for all scripts the one family.
    find /opt/prsm/venv/lib -path '*/imgui_bundle/*' -type f ! -path '*/demos_assets/fonts/*' -delete
    find /opt/prsm/venv/lib -path '*/weblate_fonts/*' -type f ! -name 'KurintoSans-*.ttf' -delete
    mkdir -p /usr/share/sbom
    /opt/build/bin/python -P "$HERE/sbom.py" "$2" "$HERE/locks/$2.lock" /opt/prsm/venv/bin/python \
        > "/usr/share/sbom/$2.cdx.json"
    compile_code /opt/prsm/venv/lib
    settle /opt/prsm
    settle /usr/share/sbom
    ;;
code)
    PATH=/opt/build/bin:$PATH /opt/build/bin/python -m tools.codegen
    python -m deploy.docker.tree . /out
    compile_code /out
    settle /out
    ;;
user)
    printf 'prsm:x:%s:%s::/nonexistent:/usr/sbin/nologin\n' "$UID_GID" "$UID_GID" >> /etc/passwd
    printf 'prsm:x:%s:\n' "$UID_GID" >> /etc/group
    mkdir -p /data /opt/prsm
    chown "$UID_GID:$UID_GID" /data
    # Nothing is installed in a finished image.
    python -m pip uninstall --quiet --yes --root-user-action ignore setuptools pip
    ;;
*)
    echo "usage: install.sh tools | dependencies IMAGE | code | user" >&2
    exit 2
    ;;
esac
