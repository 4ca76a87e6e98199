module peers

go 1.24.0

require (
	gitlab.com/yawning/aez.git v0.0.0-20211027044916-e49e68abd344
	gitlab.com/yawning/bsaes.git v0.0.0-20190805113838-0a714cd429ec
	golang.org/x/crypto v0.45.0
)

require golang.org/x/sys v0.38.0 // indirect
