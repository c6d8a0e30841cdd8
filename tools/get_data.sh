#!/bin/sh
# Gets the full Fashion-MNIST: by Keras's download, or else, as root, from the Debian or Ubuntu
# package, or else prints how to get it. Without it LR Lab uses the bundled sample.
# usage: tools/get_data.sh PYTHON
python=$1
full() {
    "$python" -c "import sys; from lrlab.datasets.sources import find_source
sys.exit(find_source().key == 'sample')"
}
"$python" -m lrlab data
full || {
    tools/apt_install.sh dataset-fashion-mnist
    "$python" -m lrlab data
}
