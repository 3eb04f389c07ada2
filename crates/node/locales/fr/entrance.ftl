# The way to the inside face.
entrance-title = Accéder aux pages internes
entrance-text = Ce lien ne fonctionne qu’une seule fois. Il ouvre une session de douze heures dans ce navigateur.
entrance-button = Entrer
